//! The shape of a type that derives `Input` or `Output`.
//!
//! Both derives read the same model of a type: its fields or variants, their names in JSON, their
//! documentation and their attributes. A [`Side`] supplies what differs. The schema of a type is
//! also generated here as far as it is the same for both.

pub(crate) mod args;
pub(crate) mod case;
mod field;
mod generics;
mod read;
mod schema;
mod types;

use syn::{Generics, Ident, Type};

pub(crate) use field::{Field, local};
pub(crate) use generics::{bounded, no_lifetimes, quiet};
pub(crate) use read::{Common, read};
pub(crate) use schema::{choice, component, tagged, untagged};
pub(crate) use types::{generic, is_option};

use crate::text::Errors;

/// A type that derives `Input` or `Output`.
pub(crate) struct Model<S: Side> {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The name of the schema in the OpenAPI document.
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) shape: Shape<S>,
}

/// The JSON form of a type.
pub(crate) enum Shape<S: Side> {
    /// An object: a struct with named fields.
    Object(Vec<Field<S>>),
    /// The JSON of the only field.
    Newtype(Box<Field<S>>),
    /// A string that a function reads or writes.
    Text(S::Text),
    /// One string of a fixed set: an enum without fields.
    Choice(Vec<Variant<S>>),
    /// An object with a tag that names the variant.
    Tagged {
        tag: String,
        variants: Vec<Variant<S>>,
    },
    /// The JSON of one of several types, without a tag.
    Untagged(Vec<Variant<S>>),
}

/// A variant of an enum.
pub(crate) struct Variant<S: Side> {
    pub(crate) ident: Ident,
    /// The name in JSON.
    pub(crate) wire: String,
    pub(crate) docs: String,
    pub(crate) body: VariantBody<S>,
}

/// The content of a variant.
pub(crate) enum VariantBody<S: Side> {
    Unit,
    Inner(Box<Type>),
    Fields(Vec<Field<S>>),
}

/// What differs between `Input` and `Output`.
pub(crate) trait Side: Sized {
    /// The attribute that configures the derive.
    const ATTRIBUTE: &'static str;
    /// Completes "a union cannot be ..".
    const VERB: &'static str;
    /// The argument that makes a type a string.
    const TEXT: &'static str;
    /// Every argument of the attribute on a named field.
    const FIELD_ARGUMENTS: &'static [&'static str];
    /// The arguments that are also valid on the field of a newtype.
    const NEWTYPE_ARGUMENTS: &'static [&'static str];

    /// The settings of a field that only this side has.
    type Details;
    /// How a string is read or written.
    type Text;

    /// Returns the settings of a field before its attribute is read.
    fn details(field: &syn::Field, errors: &mut Errors) -> Self::Details;

    /// Applies an argument that only this side has. Returns `None` if it is unknown.
    fn apply(field: &mut Field<Self>, arg: &args::Arg) -> Option<syn::Result<()>>;

    /// Returns true if the field is a member of the JSON object.
    fn is_member(field: &Field<Self>) -> bool;
}

impl<S: Side> Shape<S> {
    /// Returns all named fields, including the fields of variants.
    pub(crate) fn fields_mut(&mut self) -> Vec<&mut Field<S>> {
        match self {
            Shape::Object(fields) => fields.iter_mut().collect(),
            Shape::Choice(variants) | Shape::Tagged { variants, .. } => variants
                .iter_mut()
                .filter_map(|variant| match &mut variant.body {
                    VariantBody::Fields(fields) => Some(fields),
                    _ => None,
                })
                .flatten()
                .collect(),
            Shape::Newtype(_) | Shape::Text(_) | Shape::Untagged(_) => Vec::new(),
        }
    }
}
