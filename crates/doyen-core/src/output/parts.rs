//! What the code of `#[derive(Output)]` calls. Not part of the public API.

use crate::schema::Direction;
use crate::{Components, Schema};

pub use crate::input::parts::{
    Variant, described, described_field, list, name_of, one_of, variant, words,
};
pub use crate::input::{Field, object};

/// Defines a component that is written.
pub fn define<T: 'static>(
    all: &mut Components,
    name: &str,
    build: impl FnOnce(&mut Components) -> Schema,
) -> Schema {
    all.define::<T>(Direction::Output, name, build)
}

/// A derived type with named fields: what a variant of a tagged enum can hold.
pub trait Object: serde::Serialize {
    /// Each field, in order.
    fn fields(all: &mut Components) -> Vec<Field>;

    /// Writes the fields into an object that is open.
    fn write<M: serde::ser::SerializeMap>(&self, to: &mut M) -> Result<(), M::Error>;
}
