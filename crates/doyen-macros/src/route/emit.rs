//! The function as it was, and the value of the same name that describes it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ItemFn;
use syn::spanned::Spanned as _;

use super::model::Route;

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

    // Each type is checked where it stands, so that the compiler points at the parameter and not at the whole function.
    let last = model.parameters.len().saturating_sub(1);
    let checks = model.parameters.iter().enumerate().map(|(index, parameter)| {
        let kind = &parameter.kind;
        let span = kind.span();
        match (&parameter.bound, index == last) {
            (Some(_), _) => quote_spanned! { span=> const _: fn() = || { fn input<T: ::doyen::__private::Input>() {} input::<#kind>(); }; },
            (None, true) => quote_spanned! { span=> const _: () = ::doyen::__private::web::check_last::<#kind, _>(); },
            (None, false) => quote_spanned! { span=> const _: () = ::doyen::__private::web::check_part::<#kind, _>(); },
        }
    });
    let answer = match &function.sig.output {
        syn::ReturnType::Type(_, answer) => {
            quote_spanned! { answer.span()=> const _: () = ::doyen::__private::web::check_answer::<#answer>(); }
        }
        syn::ReturnType::Default => TokenStream::new(),
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
                #(#checks)*
                #answer
                ::doyen::__private::web::Route::new(#method, #path)
                    .name(#own_name)
                    .summary(#summary)
                    .description(#description)
                    .linked::<#name>()
                    #(#policies)*
                    .handler(|#(#taken),*| #name(#(#passed),*))
            }
        }
    }
}
