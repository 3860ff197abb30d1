//! Not written yet.
pub(crate) fn expand(
    _: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> syn::Result<proc_macro2::TokenStream> {
    Ok(item)
}
