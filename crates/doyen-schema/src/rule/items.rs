//! Limits of lists, and rules for their items.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;

use doyen_core::{At, Failures, Patch};
use serde_json::Value as Json;

use super::Num;
use super::text::{amount, beyond};
use super::tighten::{at_least, at_most};
use crate::Schema;
use crate::input::MAX_FAILURES;

/// A type with a list. `None` if there is no list.
#[diagnostic::on_unimplemented(
    message = "the rules `items`, `unique_items` and `each` are for lists, and `{Self}` is not a list",
    label = "not a list",
    note = "for text use `length(..)`, for a number `range(..)`"
)]
pub trait List {
    /// Type of the items.
    type Item;

    /// Returns the items.
    fn list(&self) -> Option<&[Self::Item]>;
}

impl<T> List for Vec<T> {
    type Item = T;

    fn list(&self) -> Option<&[T]> {
        Some(self)
    }
}

impl<L: List> List for Option<L> {
    type Item = L::Item;

    fn list(&self) -> Option<&[L::Item]> {
        self.as_ref()?.list()
    }
}

impl<L: List> List for Patch<L> {
    type Item = L::Item;

    fn list(&self) -> Option<&[L::Item]> {
        self.as_option()?.list()
    }
}

impl<L: List> List for Box<L> {
    type Item = L::Item;

    fn list(&self) -> Option<&[L::Item]> {
        self.as_ref().list()
    }
}

/// A type with a number of items: a list or a set. `None` if there is none.
#[diagnostic::on_unimplemented(
    message = "the rules `items`, `unique_items` and `each` are for lists, and `{Self}` is not a list",
    label = "not a list",
    note = "for text use `length(..)`, for a number `range(..)`"
)]
pub trait Counted {
    /// Returns the number of items.
    fn count(&self) -> Option<usize>;
}

impl<T> Counted for Vec<T> {
    fn count(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T> Counted for BTreeSet<T> {
    fn count(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T> Counted for HashSet<T> {
    fn count(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<L: Counted> Counted for Option<L> {
    fn count(&self) -> Option<usize> {
        self.as_ref()?.count()
    }
}

impl<L: Counted> Counted for Patch<L> {
    fn count(&self) -> Option<usize> {
        self.as_option()?.count()
    }
}

impl<L: Counted> Counted for Box<L> {
    fn count(&self) -> Option<usize> {
        self.as_ref().count()
    }
}

/// Limits of the number of items.
#[derive(Clone, Copy, Debug, Default)]
pub struct Items {
    /// Minimum.
    pub min: Option<usize>,
    /// Maximum.
    pub max: Option<usize>,
}

impl Items {
    /// Checks a list.
    pub fn check<L: Counted + ?Sized>(&self, value: &L, at: &At<'_>, out: &mut Failures) {
        let Some(count) = value.count() else { return };
        if let Some(beyond) = beyond(count, self.min, self.max) {
            amount((self.min, self.max), beyond, "items", "item", at, out);
        }
    }

    /// Writes the limits into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        if let Some(min) = self.min {
            at_least(schema, "minItems", Num::Int(min as i128));
        }
        if let Some(max) = self.max {
            at_most(schema, "maxItems", Num::Int(max as i128));
        }
    }
}

/// Items must be unique.
#[derive(Clone, Copy, Debug)]
pub struct Unique;

impl Unique {
    /// Checks that the items of a list are unique. Each repeated item is reported.
    pub fn check<L: List + ?Sized>(&self, value: &L, at: &At<'_>, out: &mut Failures)
    where
        L::Item: Eq + Hash,
    {
        let Some(list) = value.list() else { return };
        let mut seen = HashSet::with_capacity(list.len());
        for (index, item) in list.iter().enumerate() {
            if !seen.insert(item) && out.len() < MAX_FAILURES {
                at.item(index).fail(out, "unique", "must not be repeated");
            }
        }
    }

    /// Writes the rule into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        schema.set("uniqueItems", true);
    }
}

/// Checks every item of a list.
pub fn each<L: List + ?Sized>(
    value: &L,
    at: &At<'_>,
    out: &mut Failures,
    check: impl Fn(&L::Item, &At<'_>, &mut Failures),
) {
    for (index, item) in value.list().unwrap_or_default().iter().enumerate() {
        if out.len() >= MAX_FAILURES {
            return;
        }
        check(item, &at.item(index), out);
    }
}

/// Writes rules into the schema of the items.
pub fn each_schema(schema: &mut Schema, describe: impl FnOnce(&mut Schema)) {
    let mut items = Schema::any();
    if let Some(Json::Object(present)) = schema.get("items") {
        for (keyword, value) in present {
            items.set(keyword, value.clone());
        }
    }
    describe(&mut items);
    schema.set("items", items);
}

#[cfg(test)]
mod tests {
    use doyen_core::Place;

    use super::*;

    #[test]
    fn each_repeated_item_is_reported_with_its_location() {
        let mut out = Failures::new();
        Unique.check(&vec!["a", "b", "a", "a"], &At::root(Place::Body), &mut out);
        let found: Vec<_> = out.iter().map(|failure| failure.pointer.as_str()).collect();
        assert_eq!(found, ["/2", "/3"]);
    }

    #[test]
    fn the_message_counts() {
        let mut out = Failures::new();
        Items {
            min: Some(1),
            max: None,
        }
        .check(&Vec::<u8>::new(), &At::root(Place::Body), &mut out);
        assert_eq!(
            out.iter().next().unwrap().message,
            "must have at least 1 item"
        );
    }
}
