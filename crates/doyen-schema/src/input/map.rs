//! Maps. The names of the object are parsed as the type of the keys.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use doyen_core::inject::{BoxFuture, Context};
use doyen_core::{At, Failures};
use serde_json::json;

use super::{Input, MAX_FAILURES, NO_NUL, Value};
use crate::{Components, Schema};

macro_rules! maps {
    ($($map:ident: $($bound:ident),*;)*) => {$(
        impl<K: Input $(+ $bound)*, T: Input> Input for $map<K, T> {
            const ASYNC: bool = T::ASYNC;

            fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
                entries(value, at, out)
            }

            fn schema(all: &mut Components) -> Schema {
                let names = names(K::schema(all));
                Schema::of("object").with("additionalProperties", T::schema(all)).with("propertyNames", names)
            }

            fn verify<'a>(&'a self, cx: &'a Context, at: &'a At<'a>, out: &'a mut Failures) -> BoxFuture<'a, ()> {
                Box::pin(async move {
                    for (key, value) in self {
                        // Only text has the same form as a key and as a name.
                        match (key as &dyn Any).downcast_ref::<String>() {
                            Some(name) => value.verify(cx, &at.field(name), out).await,
                            None => value.verify(cx, at, out).await,
                        }
                    }
                })
            }
        }
    )*};
}

maps! {
    BTreeMap: Ord;
    HashMap: Eq, Hash;
}

/// Returns the schema of the names for a type of keys. Names are strings, also those of numbers.
pub(crate) fn names(key: Schema) -> Schema {
    match key.get("type").and_then(|kind| kind.as_str()) {
        // A name is a string anyway.
        Some("string") => {
            let mut names = key;
            names.remove("type");
            names
        }
        Some("integer") => {
            let is_signed = key.get("minimum").and_then(serde_json::Value::as_i64) != Some(0);
            let sign = if is_signed { "-?" } else { "" };
            Schema::any().with("pattern", format!("^{sign}(0|[1-9][0-9]*)$"))
        }
        Some("number") => Schema::any().with("pattern", r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"),
        Some("boolean") => Schema::any().with(
            "enum",
            json!(["true", "false", "1", "0", "on", "off", "yes", "no"]),
        ),
        _ if key.referred().is_some() => key,
        _ => Schema::any().with("pattern", NO_NUL),
    }
}

fn entries<K: Input, T: Input, M: FromIterator<(K, T)>>(
    value: Value<'_>,
    at: &At<'_>,
    out: &mut Failures,
) -> Option<M> {
    let Value::Map(entries) = value else {
        value.refuse("object", "an object", at, out);
        return None;
    };
    let before = out.len();
    let mut read = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let here = at.field(&name);
        let key = if name.contains('\0') {
            let message = "the name must not contain the NUL character";
            here.fail(out, "characters", message);
            None
        } else {
            K::parse(Value::Text(name.as_ref().into()), &here, out)
        };
        read.extend(key.zip(T::parse(value, &here, out)));
        if out.len() >= MAX_FAILURES {
            break;
        }
    }
    (out.len() == before).then(|| read.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use doyen_core::Place;

    use super::*;

    fn codes<T: Input>(map: Vec<(&'static str, Value<'static>)>) -> Vec<&'static str> {
        let map = map.into_iter().map(|(name, value)| (name.into(), value));
        let mut out = Failures::new();
        let read = T::parse(Value::Map(map.collect()), &At::root(Place::Body), &mut out);
        assert_eq!(read.is_none(), !out.is_empty());
        out.iter().map(|failure| failure.code).collect()
    }

    #[test]
    fn names_of_a_map_have_no_nul() {
        let map = vec![("a\0", Value::Int(1)), ("b", Value::Int(2))];
        assert_eq!(codes::<BTreeMap<String, u8>>(map), ["characters"]);
    }

    #[test]
    fn names_are_parsed_as_the_type_of_the_keys() {
        let map = vec![("1", Value::Float(0.5)), ("20", Value::Int(2))];
        assert!(codes::<BTreeMap<u8, f64>>(map).is_empty());
        let map = vec![
            ("x", Value::Int(1)),
            ("300", Value::Int(1)),
            ("01", Value::Int(1)),
        ];
        assert_eq!(codes::<HashMap<u8, f64>>(map), ["type", "range", "type"]);
    }
}
