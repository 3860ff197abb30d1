//! `#[derive(Output)]`: generates the serialization and the schema from one model of the type.

mod emit;
mod field;
mod from;
mod model;

use proc_macro2::TokenStream;

/// Expands the derive.
pub(crate) fn expand(item: syn::DeriveInput) -> syn::Result<TokenStream> {
    let code = model::read(&item).map(|model| emit::emit(&model))?;
    let tracked = crate::shape::case::tracked();
    Ok(quote::quote!(#code #tracked))
}

#[cfg(test)]
mod tests;
