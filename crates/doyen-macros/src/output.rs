//! `#[derive(Output)]`: generates the serialization and the schema from one model of the type.

mod emit;
mod field;
mod from;
mod model;

use proc_macro2::TokenStream;

use crate::schema::with_schema;

/// Expands the derive.
pub(crate) fn expand(item: syn::DeriveInput) -> syn::Result<TokenStream> {
    model::read(&item).map(|model| with_schema(&emit::emit(&model)))
}

#[cfg(test)]
mod tests;
