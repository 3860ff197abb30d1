//! Values that must not be printed.

use std::fmt;

use crate::inject::{BoxFuture, Context};
use crate::input::{Input, Value};
use crate::rule::Text;
use crate::{At, Components, Failures, Schema};

/// A value that never prints: `Debug` and `Display` show `***`. It is wiped from nothing; it only keeps out of logs and answers.
///
/// ```
/// use doyen_core::Secret;
///
/// let password = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{password:?}"), "***");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. The name is long so that a reader stops at it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Text> Text for Secret<T> {
    fn text(&self) -> Option<&str> {
        self.0.text()
    }
}

/// Read like the value inside; the document says `writeOnly`.
impl<T: Input> Input for Secret<T> {
    const REQUIRED: bool = T::REQUIRED;
    const ASYNC: bool = T::ASYNC;

    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        T::parse(value, at, out).map(Secret)
    }
    fn absent(at: &At<'_>, out: &mut Failures) -> Option<Self> {
        T::absent(at, out).map(Secret)
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
        self.0.verify(cx, at, out)
    }
}
