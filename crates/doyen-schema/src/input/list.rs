//! Lists.

use doyen_core::inject::{BoxFuture, Context};
use doyen_core::{At, Failures, Place};

use super::{Input, MAX_FAILURES, Value};
use crate::{Components, Schema};

impl<T: Input> Input for Vec<T> {
    const ASYNC: bool = T::ASYNC;

    /// One text value is a list of one: `?tag=a`. In a header, a cookie and the path, commas
    /// separate the items.
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let mut items = match value {
            Value::List(items) => items,
            text @ Value::Text(_) => vec![text],
            other => {
                other.refuse("array", "a list", at, out);
                return None;
            }
        };
        if matches!(at.place(), Place::Header | Place::Cookie | Place::Path) {
            items = items.into_iter().flat_map(separated).collect();
        }
        let before = out.len();
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            list.extend(T::parse(item, &at.item(index), out));
            if out.len() >= MAX_FAILURES {
                break;
            }
        }
        (out.len() == before).then_some(list)
    }

    fn schema(all: &mut Components) -> Schema {
        Schema::of("array").with("items", T::schema(all))
    }

    fn verify<'a>(
        &'a self,
        cx: &'a Context,
        at: &'a At<'a>,
        out: &'a mut Failures,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            for (index, item) in self.iter().enumerate() {
                item.verify(cx, &at.item(index), out).await;
            }
        })
    }
}

/// Splits text at its commas. Empty items are ignored (RFC 9110 section 5.6.1.2).
fn separated(value: Value<'_>) -> Vec<Value<'_>> {
    let Value::Text(text) = value else {
        return vec![value];
    };
    let items = text.split(',').map(str::trim);
    let items = items.filter(|item| !item.is_empty());
    items
        .map(|item| Value::Text(item.to_owned().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_is_a_list_of_one_and_every_item_is_checked() {
        let at = At::root(Place::Query);
        let mut out = Failures::new();
        assert_eq!(
            Vec::<u8>::parse(Value::Text("7".into()), &at, &mut out),
            Some(vec![7])
        );
        let items = vec![
            Value::Text("1".into()),
            Value::Text("x".into()),
            Value::Text("300".into()),
        ];
        assert_eq!(Vec::<u8>::parse(Value::List(items), &at, &mut out), None);
        let found: Vec<_> = out
            .iter()
            .map(|failure| (failure.pointer.as_str(), failure.code))
            .collect();
        assert_eq!(found, [("/1", "type"), ("/2", "range")]);
    }

    #[test]
    fn a_flood_of_wrong_items_is_cut() {
        let mut out = Failures::new();
        let items = vec![Value::Null; 100_000];
        assert_eq!(
            Vec::<u8>::parse(Value::List(items), &At::root(Place::Body), &mut out),
            None
        );
        assert_eq!(out.len(), MAX_FAILURES);
    }
}
