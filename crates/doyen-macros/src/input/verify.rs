//! Generates the asynchronous checks of an input.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::field::Field;
use super::model::{Model, Variant};
use super::rule::{Kind, Rule};
use crate::shape::{Shape, VariantBody, local};

/// Generates `ASYNC` and `verify`, if any rule in the type can be asynchronous.
pub(super) fn asynchronous(model: &Model) -> TokenStream {
    let whole: TokenStream = model.rules.iter().filter_map(Rule::verify).collect();
    let whole = (!whole.is_empty()).then(|| quote!({ let __value = self; #whole }));
    let verify = match &model.shape.shape {
        Shape::Object(fields) => {
            let all = fields.iter().filter_map(|field| {
                let ident = &field.ident;
                verify_field(field, &quote!(&self.#ident))
            });
            quote!(#(#all)*)
        }
        Shape::Newtype(field) => field
            .verify()
            .map(|code| quote!({ let __value = &self.0; #code }))
            .unwrap_or_default(),
        Shape::Tagged { variants, .. } | Shape::Untagged(variants) => verify_variants(variants),
        Shape::Text(_) | Shape::Choice(_) => TokenStream::new(),
    };
    if verify.is_empty() && whole.is_none() {
        return TokenStream::new();
    }
    let own = whole.is_some()
        || model
            .rules
            .iter()
            .any(|rule| matches!(rule.kind, Kind::Async(_)));
    let parts = async_parts(model);
    quote! {
        const ASYNC: bool = #own #(|| #parts)*;

        fn verify<'__a>(
            &'__a self,
            __cx: &'__a ::doyen::__private::Context,
            __at: &'__a ::doyen::__private::At<'__a>,
            __out: &'__a mut ::doyen::__private::Failures,
        ) -> ::doyen::__private::BoxFuture<'__a, ()> {
            ::std::boxed::Box::pin(async move {
                #verify
                #whole
            })
        }
    }
}

fn verify_field(field: &Field, value: &TokenStream) -> Option<TokenStream> {
    let code = field.verify()?;
    let wire = &field.wire;
    Some(quote! {
        {
            let __value = #value;
            let __at = &__at.field(#wire);
            #code
        }
    })
}

fn verify_variants(variants: &[Variant]) -> TokenStream {
    let mut arms = Vec::new();
    for variant in variants {
        let ident = &variant.ident;
        match &variant.body {
            VariantBody::Inner(ty) => arms.push(quote! {
                Self::#ident(__value) => {
                    if <#ty as ::doyen::__private::Input>::ASYNC {
                        <#ty as ::doyen::__private::Input>::verify(__value, __cx, __at, __out).await;
                    }
                }
            }),
            VariantBody::Fields(fields) => {
                let binds = fields.iter().enumerate().map(|(place, field)| {
                    let (ident, local) = (&field.ident, local(place));
                    quote!(#ident: #local)
                });
                let checks: Vec<TokenStream> = fields
                    .iter()
                    .enumerate()
                    .filter_map(|(place, field)| {
                        let local = local(place);
                        verify_field(field, &quote!(#local))
                    })
                    .collect();
                if !checks.is_empty() {
                    arms.push(quote!(#[allow(unused_variables)] Self::#ident { #(#binds),* } => { #(#checks)* }));
                }
            }
            VariantBody::Unit => {}
        }
    }
    if arms.is_empty() {
        TokenStream::new()
    } else {
        quote!(#[allow(unreachable_patterns)] match self { #(#arms)* _ => {} })
    }
}

/// Returns the constants that are combined into `ASYNC`.
fn async_parts(model: &Model) -> Vec<TokenStream> {
    let field = |field: &Field| part(field, &model.shape.ident);
    match &model.shape.shape {
        Shape::Object(fields) => fields.iter().flat_map(field).collect(),
        Shape::Newtype(inner) => field(inner),
        Shape::Tagged { variants, .. } | Shape::Untagged(variants) => variants
            .iter()
            .flat_map(|variant| match &variant.body {
                VariantBody::Unit => Vec::new(),
                VariantBody::Inner(ty) => vec![quote!(<#ty as ::doyen::__private::Input>::ASYNC)],
                VariantBody::Fields(fields) => fields.iter().flat_map(field).collect(),
            })
            .collect(),
        Shape::Text(_) | Shape::Choice(_) => Vec::new(),
    }
}

fn part(field: &Field, owner: &Ident) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    // Constants of mutually recursive types cannot depend on each other. A needless `verify` is
    // safe, a missing one is not.
    if field.is_async() || field.details.recursive {
        parts.push(quote!(true));
    } else if field.can_be_async() && !field.names(owner) {
        let ty = &field.ty;
        parts.push(quote!(<#ty as ::doyen::__private::Input>::ASYNC));
    }
    parts
}
