//! Support code of `#[derive(Output)]`. Not part of the public API.

use serde::ser::SerializeMap;

use super::Output;
use crate::{Components, Direction, Schema};

pub use crate::input::parts::{
    Variant, any_of, described, described_field, list, name_of, one_of, variant, words,
};
pub use crate::input::{Field, object};

/// Defines an output component.
pub fn define<T: 'static>(
    all: &mut Components,
    name: &str,
    build: impl FnOnce(&mut Components) -> Schema,
) -> Schema {
    all.define::<T>(Direction::Output, name, build)
}

/// Writes a field. The bound `Output` makes the compiler report a type without it once and with a
/// hint.
pub fn entry<T: Output, M: SerializeMap>(
    to: &mut M,
    name: &'static str,
    value: &T,
) -> Result<(), M::Error> {
    if !value.is_writable() {
        return Err(unwritable(format_args!("the field `{name}`")));
    }
    to.serialize_entry(name, value)
}

#[cold]
fn unwritable<E: serde::ser::Error>(what: std::fmt::Arguments<'_>) -> E {
    E::custom(format!(
        "{what} holds NaN, an infinite number or a date outside of the years 0001 to 9999"
    ))
}

/// Writes the inner value of a newtype.
pub fn write<T: Output, S: serde::Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    if !value.is_writable() {
        return Err(unwritable(format_args!("the value")));
    }
    value.serialize(to)
}

/// A derived type with named fields, which a variant of a tagged enum can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the inside of a tagged variant",
    label = "a tagged variant holds a struct with named fields",
    note = "write `#[derive(Output)]` above that struct, or name the fields in the variant"
)]
pub trait Object: serde::Serialize {
    /// Returns each field, in order.
    fn fields(all: &mut Components) -> Vec<Field>;

    /// Writes the fields into an open object.
    fn write<M: SerializeMap>(&self, to: &mut M) -> Result<(), M::Error>;
}
