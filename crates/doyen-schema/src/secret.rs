//! Input and schema of secrets.

use doyen_core::inject::{BoxFuture, Context};
use doyen_core::{At, Failures, Secret};

use crate::input::{Input, Value};
use crate::rule::Text;
use crate::{Components, Schema};

impl<T: Text> Text for Secret<T> {
    fn text(&self) -> Option<&str> {
        self.expose().text()
    }
}

/// Parsed like the inner value; the document has `writeOnly`.
impl<T: Input> Input for Secret<T> {
    const REQUIRED: bool = T::REQUIRED;
    const ASYNC: bool = T::ASYNC;

    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        T::parse(value, at, out).map(Secret::new)
    }
    fn absent(at: &At<'_>, out: &mut Failures) -> Option<Self> {
        T::absent(at, out).map(Secret::new)
    }
    fn schema(all: &mut Components) -> Schema {
        T::schema(all).with("writeOnly", true)
    }
    fn verify<'a>(
        &'a self,
        cx: &'a Context,
        at: &'a At<'a>,
        out: &'a mut Failures,
    ) -> BoxFuture<'a, ()> {
        self.expose().verify(cx, at, out)
    }
}
