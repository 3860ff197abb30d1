//! Generates the function, and the type of the same name that describes the route.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ItemFn;
use syn::spanned::Spanned as _;

use super::model::{Route, Way};

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

    // A closure takes the extracted parameters and calls the handler.
    let arguments: Vec<_> = (0..model.parameters.len())
        .map(|index| format_ident!("argument_{index}"))
        .collect();
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
    let taken = model
        .parameters
        .iter()
        .zip(&arguments)
        .map(|(parameter, argument)| {
            let kind = &parameter.kind;
            match &parameter.bound {
                None => quote! { #argument: #kind },
                Some(bound) => {
                    let marker = format_ident!("Parameter_{bound}");
                    quote! { #argument: ::doyen::__private::web::Named<#marker, #kind> }
                }
            }
        });
    let passed =
        model
            .parameters
            .iter()
            .zip(&arguments)
            .map(|(parameter, argument)| match parameter.bound {
                None => quote! { #argument },
                Some(_) => quote! { #argument.into_inner() },
            });

    // Check each type at its own span, so that errors point at the parameter, not the function. The
    // handler below has the same bounds in the same body, so each error is reported once.
    let last = model.parameters.len().saturating_sub(1);
    let checks = model
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| {
            let kind = &parameter.kind;
            let span = kind.span();
            let way = way(parameter.way);
            match (&parameter.bound, index == last) {
                (Some(_), _) => {
                    quote_spanned! { span=> ::doyen::__private::web::check_named::<#kind>(); }
                }
                (None, true) if parameter.way != Way::Parts => {
                    quote_spanned! { span=> ::doyen::__private::web::check_last::<#kind, #way>(); }
                }
                (None, _) => {
                    quote_spanned! { span=> ::doyen::__private::web::check_part::<#kind, #way>(); }
                }
            }
        });
    let answer = match &function.sig.output {
        syn::ReturnType::Type(_, answer) => {
            quote_spanned! { answer.span()=> ::doyen::__private::web::check_response::<#answer>(); }
        }
        syn::ReturnType::Default => TokenStream::new(),
    };
    let read = model.parameters.iter().enumerate().map(|(index, parameter)| {
        let kind = &parameter.kind;
        let way = match (parameter.way, index == last) {
            // The last parameter reads the body or, like all others, the request parts.
            (Way::Parts, true) => quote! { (::doyen::__private::web::ViaParts, ::doyen::__private::web::ViaParts) },
            (other, _) => way(other),
        };
        match &parameter.bound {
            None => quote! { (#kind, #way) },
            Some(bound) => {
                let marker = format_ident!("Parameter_{bound}");
                quote! { (::doyen::__private::web::Named<#marker, #kind>, #way) }
            }
        }
    });

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
                #(#checks)*
                #answer
                ::doyen::__private::web::Route::new(#method, #path)
                    .name(#own_name)
                    .summary(#summary)
                    .description(#description)
                    .linked::<#name>()
                    #(#policies)*
                    .handler::<(#(#read,)*), _>(|#(#taken),*| #name(#(#passed),*))
            }
        }
    }
}

/// Returns the type that selects how a parameter is extracted; `_` lets the compiler infer it.
fn way(way: Way) -> TokenStream {
    match way {
        Way::Parts => quote! { ::doyen::__private::web::ViaParts },
        Way::Body => quote! { ::doyen::__private::web::ViaBody },
        Way::Unknown => quote! { _ },
    }
}
