//! `#[derive(Input)]`: one model of the type, and from it the parser, the checks and the schema.

pub(crate) mod args;
pub(crate) mod case;
pub(crate) mod emit;
pub(crate) mod field;
pub(crate) mod generics;
pub(crate) mod model;
pub(crate) mod regex;
mod rule;

use proc_macro2::TokenStream;

use crate::schema::with_schema;

/// The expansion.
pub(crate) fn expand(item: syn::DeriveInput) -> syn::Result<TokenStream> {
    model::read(&item).map(|model| with_schema(&emit::emit(&model)))
}

#[cfg(test)]
mod tests;
