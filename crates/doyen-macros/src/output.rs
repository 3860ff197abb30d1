//! `#[derive(Output)]`: one model of the type, and from it the JSON and the schema.

mod emit;
mod model;

use proc_macro2::TokenStream;

use crate::schema::with_schema;

/// The expansion.
pub(crate) fn expand(item: syn::DeriveInput) -> syn::Result<TokenStream> {
    model::read(&item).map(|model| with_schema(&emit::emit(&model)))
}

#[cfg(test)]
mod tests;
