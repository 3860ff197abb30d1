//! The function as it was, and the value of the same name that describes it.

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

    // A closure takes the parameters as the edge reads them and calls the function with them as it was written.
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

    // Each type is checked where it stands, so that the compiler points at the parameter and not at the whole function. It says each
    // thing once: the handler below asks for the same, in the same body.
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
            // The last one reads the body, or the parts like all others.
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

/// The type that tells how a parameter is read; `_` lets the compiler find out.
fn way(way: Way) -> TokenStream {
    match way {
        Way::Parts => quote! { ::doyen::__private::web::ViaParts },
        Way::Body => quote! { ::doyen::__private::web::ViaBody },
        Way::Unknown => quote! { _ },
    }
}
