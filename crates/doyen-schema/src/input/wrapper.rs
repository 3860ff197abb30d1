//! `Option`, `Box` and [`Patch`]: a type around a type.

use doyen_core::inject::{BoxFuture, Context};
use doyen_core::{At, Failures, Patch};

use super::{Input, Value};
use crate::{Components, Schema};

impl<T: Input> Input for Option<T> {
    const REQUIRED: bool = false;
    const ASYNC: bool = T::ASYNC;

    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::parse(value, at, out).map(Some),
        }
    }

    fn absent(_: &At<'_>, _: &mut Failures) -> Option<Self> {
        Some(None)
    }

    fn schema(all: &mut Components) -> Schema {
        T::schema(all).nullable()
    }

    fn verify<'a>(
        &'a self,
        cx: &'a Context,
        at: &'a At<'a>,
        out: &'a mut Failures,
    ) -> BoxFuture<'a, ()> {
        match self {
            Some(value) => value.verify(cx, at, out),
            None => Box::pin(std::future::ready(())),
        }
    }
}

impl<T: Input> Input for Box<T> {
    const REQUIRED: bool = T::REQUIRED;
    const ASYNC: bool = T::ASYNC;

    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        T::parse(value, at, out).map(Box::new)
    }

    fn absent(at: &At<'_>, out: &mut Failures) -> Option<Self> {
        T::absent(at, out).map(Box::new)
    }

    fn schema(all: &mut Components) -> Schema {
        T::schema(all)
    }

    fn verify<'a>(
        &'a self,
        cx: &'a Context,
        at: &'a At<'a>,
        out: &'a mut Failures,
    ) -> BoxFuture<'a, ()> {
        self.as_ref().verify(cx, at, out)
    }
}

impl<T: Input> Input for Patch<T> {
    const REQUIRED: bool = false;
    const ASYNC: bool = T::ASYNC;

    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        T::parse(value, at, out).map(Patch::Set)
    }

    fn absent(_: &At<'_>, _: &mut Failures) -> Option<Self> {
        Some(Patch::Absent)
    }

    fn schema(all: &mut Components) -> Schema {
        T::schema(all)
    }

    fn verify<'a>(
        &'a self,
        cx: &'a Context,
        at: &'a At<'a>,
        out: &'a mut Failures,
    ) -> BoxFuture<'a, ()> {
        match self {
            Patch::Set(value) => value.verify(cx, at, out),
            Patch::Absent => Box::pin(std::future::ready(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::Place;

    use super::*;

    #[test]
    fn three_states() {
        type Field = Patch<Option<u8>>;
        let at = At::root(Place::Body);
        let mut out = Failures::new();
        assert_eq!(Field::absent(&at, &mut out), Some(Patch::Absent));
        assert_eq!(
            Field::parse(Value::Null, &at, &mut out),
            Some(Patch::Set(None))
        );
        assert_eq!(
            Field::parse(Value::Int(1), &at, &mut out),
            Some(Patch::Set(Some(1)))
        );
        assert!(out.is_empty());
    }

    #[test]
    fn null_is_refused_unless_the_value_can_be_nothing() {
        let mut out = Failures::new();
        assert_eq!(
            Patch::<u8>::parse(Value::Null, &At::root(Place::Body), &mut out),
            None
        );
        assert_eq!(out.iter().next().unwrap().code, "null");
    }
}
