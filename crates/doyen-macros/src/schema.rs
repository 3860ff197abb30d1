//! What the code of `#[derive(Input)]` and `#[derive(Output)]` is wrapped in.

use proc_macro2::TokenStream;
use quote::quote;

/// Wraps code that needs doyen-schema. In a crate that depends on doyen-core alone, such as a
/// domain that is checked by itself, the macro `with_schema` drops the code.
pub(crate) fn with_schema(code: &TokenStream) -> TokenStream {
    quote!(::doyen::__private::with_schema! { #code })
}
