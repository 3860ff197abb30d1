//! `#[get("/{id}", allow = ..)]` and its kin, and `routes![..]`.
//!
//! The function stays as it is. Beside it stands a type of the same name that describes the route: functions live among values, structs
//! with braces among types, so one name does for both. `routes![show]` asks that type for the route.

mod emit;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;
use syn::punctuated::Punctuated;

pub(crate) fn expand(
    method: &'static str,
    words: TokenStream,
    item: TokenStream,
) -> Result<TokenStream> {
    let words = syn::parse2::<parse::Words>(words)?;
    let function = parse::function(item)?;
    let model = model::Route::new(method, words, &function)?;
    Ok(emit::route(&model, &function))
}

/// The paths inside `routes![..]`.
pub(crate) struct List(Punctuated<syn::Path, syn::Token![,]>);

impl syn::parse::Parse for List {
    fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
        Punctuated::parse_terminated(input).map(Self)
    }
}

pub(crate) fn list(list: List) -> TokenStream {
    // In brackets, so that a function without its attribute is "not a type" and not "not a module".
    let routes = list.0.iter();
    quote! { ::doyen::__private::web::Routes::new(::std::vec![#(<#routes>::route()),*]) }
}
