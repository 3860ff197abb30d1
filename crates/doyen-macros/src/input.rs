//! `#[derive(Input)]`: generates the parser, the validation and the schema from one model of the
//! type.

mod emit;
mod field;
mod into;
mod model;
mod parse;
mod rule;
mod schema;
mod verify;

use proc_macro2::TokenStream;

use crate::schema::with_schema;

/// Expands the derive.
pub(crate) fn expand(item: syn::DeriveInput) -> syn::Result<TokenStream> {
    let code = model::read(&item).map(|model| with_schema(&emit::emit(&model)))?;
    let tracked = crate::shape::case::tracked();
    Ok(quote::quote!(#code #tracked))
}

/// Expands the derive for a struct of generated code: its schema is no component of the document.
pub(crate) fn expand_unnamed(item: syn::DeriveInput) -> syn::Result<TokenStream> {
    let mut model = model::read(&item)?;
    model.unnamed = true;
    Ok(with_schema(&emit::emit(&model)))
}

/// Returns the arguments of `#[input(..)]` on a field.
pub(crate) const fn field_arguments() -> &'static [&'static str] {
    <field::Reading as crate::shape::Side>::FIELD_ARGUMENTS
}

#[cfg(test)]
mod tests;
