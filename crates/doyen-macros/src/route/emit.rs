//! Generates the function, and the type of the same name that describes the route.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ItemFn;
use syn::spanned::Spanned as _;

use super::model::{Parameter, Route, Way};

pub(super) fn route(model: &Route, function: &ItemFn) -> TokenStream {
    let Route {
        method,
        path,
        summary,
        description,
        ..
    } = model;
    let name = &function.sig.ident;
    let visibility = &function.vis;
    let own_name = name.to_string();
    let docs = format!(
        "The route of [`{own_name}()`]({own_name}()): `{method} {}`.",
        path.value()
    );
    let policies = model
        .policies
        .iter()
        .map(|(policy, value)| quote! { .#policy(#value) });

    let markers = model
        .parameters
        .iter()
        .filter_map(|parameter| parameter.bound.as_ref())
        .map(|bound| {
            let marker = format_ident!("Parameter_{bound}");
            quote! {
                struct #marker;
                impl ::doyen::__private::web::ParamName for #marker {
                    const NAME: &'static str = #bound;
                }
            }
        });
    // A closure takes the extracted parameters and calls the handler.
    let arguments: Vec<_> = (0..model.parameters.len())
        .map(|index| format_ident!("argument_{index}"))
        .collect();
    let last = model.parameters.len().saturating_sub(1);
    let kinds: Vec<TokenStream> = model.parameters.iter().map(kind).collect();
    let parts = model.parameters.iter().zip(&kinds).enumerate();
    let parts = parts.map(|(index, (parameter, kind))| {
        let way = way(parameter.way, index == last);
        // An error about the type is reported at this expression, so that it has its position.
        let span = parameter.kind.span().resolved_at(Span::call_site());
        quote_spanned!(span=> ::doyen::__private::web::part::<#kind, #way>())
    });
    let taken = arguments.iter().zip(&kinds);
    let taken = taken.map(|(argument, kind)| quote!(#argument: #kind));
    let passed = model.parameters.iter().zip(&arguments);
    let passed = passed.map(|(parameter, argument)| match parameter.bound {
        None => quote!(#argument),
        Some(_) => quote!(#argument.into_inner()),
    });
    let returned = match &function.sig.output {
        syn::ReturnType::Type(_, returned) => {
            let span = returned.span().resolved_at(Span::call_site());
            quote_spanned!(span=> ::doyen::__private::web::returned::<#returned>())
        }
        syn::ReturnType::Default => quote!(::doyen::__private::web::returned::<()>()),
    };

    quote! {
        #function

        #[doc = #docs]
        #[allow(non_camel_case_types, reason = "it has the name of its handler")]
        #visibility struct #name {}

        impl ::doyen::__private::web::Linked for #name {}

        impl #name {
            #[doc = #docs]
            #[allow(non_camel_case_types, reason = "markers have the names of their parameters")]
            #visibility fn route() -> ::doyen::__private::web::Route {
                #(#markers)*
                ::doyen::__private::web::Route::new(#method, #path)
                    .name(#own_name)
                    .summary(#summary)
                    .description(#description)
                    .linked::<#name>()
                    #(#policies)*
                    .generated((#(#parts,)* #returned, |#(#taken),*| #name(#(#passed),*)))
            }
        }
    }
}

/// Returns the type that the closure takes.
fn kind(parameter: &Parameter) -> TokenStream {
    let kind = &parameter.kind;
    match &parameter.bound {
        None => quote!(#kind),
        Some(bound) => {
            let marker = format_ident!("Parameter_{bound}");
            quote!(::doyen::__private::web::Named<#marker, #kind>)
        }
    }
}

/// Returns the type that selects how a parameter is extracted; `_` lets the compiler infer it.
fn way(way: Way, is_last: bool) -> TokenStream {
    let parts = quote!(::doyen::__private::web::ViaParts);
    match way {
        // The last parameter reads the body or, like all others, the request parts.
        Way::Parts if is_last => quote!((#parts, #parts)),
        Way::Parts => parts,
        Way::Body => quote!(::doyen::__private::web::ViaBody),
        Way::Unknown => quote!(_),
    }
}
