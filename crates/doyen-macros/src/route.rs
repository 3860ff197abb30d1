//! `#[get("/{id}", allow = ..)]`, the attributes of the other methods, and `routes![..]`.
//!
//! The function is kept. The macro adds a type of the same name that describes the route: functions
//! are in the value namespace and structs with braces in the type namespace, so they can share a
//! name. `routes![show]` obtains the route from that type.

mod emit;
pub(crate) mod extractor;
mod inputs;
mod model;
mod parse;
mod signature;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;
use syn::punctuated::Punctuated;

pub(crate) fn expand(
    method: &'static str,
    arguments: TokenStream,
    item: TokenStream,
) -> Result<TokenStream> {
    let arguments = syn::parse2::<parse::RouteArguments>(arguments)?;
    let returns = "`-> NoContent`, `-> Json<..>` or a `Result` of one of these";
    let mut function = parse::function(item, returns)?;
    let model = model::Route::new(method, arguments, &mut function)?;
    Ok(emit::route(&model, &function))
}

/// Expands `#[socket("/path", allow = ..)]`: the function handles the messages of a WebSocket.
pub(crate) fn expand_socket(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments = syn::parse2::<parse::RouteArguments>(arguments)?;
    let function = parse::function(item, "`-> Result<(), Unexpected>`, or another error")?;
    let model = model::Route::socket(arguments, &function)?;
    Ok(emit::socket(&model, &function))
}

/// Expands `routes![..]`.
pub(crate) struct List(Punctuated<syn::Path, syn::Token![,]>);

impl syn::parse::Parse for List {
    fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
        Punctuated::parse_terminated(input).map(Self)
    }
}

pub(crate) fn list(list: List) -> TokenStream {
    // The brackets make the error for a function without an attribute "expected type".
    let routes = list.0.iter();
    quote! { ::doyen::__private::web::Routes::new(::std::vec![#(<#routes>::route()),*]) }
}
