//! `#[derive(Responses)]`: an enum of responses, each variant with one.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields};

use crate::text::Errors;

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let Data::Enum(data) = &item.data else {
        return Err(syn::Error::new_spanned(
            &item.ident,
            "`Responses` is for enums: each variant holds a response",
        ));
    };
    let mut variants = Vec::new();
    for variant in &data.variants {
        match &variant.fields {
            Fields::Unnamed(list) if list.unnamed.len() == 1 => {
                variants.push((&variant.ident, &list.unnamed[0].ty));
            }
            _ => errors.at(
                variant,
                "a variant holds one response: write `Name(Json<..>)`, or `Name(NoContent)` for an empty one",
            ),
        }
    }
    if data.variants.is_empty() {
        errors.at(
            &item.ident,
            "an enum without variants is no response: add a variant",
        );
    }
    errors.finish(())?;
    let ident = &item.ident;
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    let web = quote!(::doyen::__private::web);
    let names = variants.iter().map(|(name, _)| name);
    let types = variants.iter().map(|(_, ty)| ty);
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #web::IntoResponse for #ident #arguments #conditions {
            fn into_response(
                self,
                __parts: &#web::Parts,
            ) -> ::core::result::Result<#web::Response, #web::Refusal> {
                match self {
                    #(Self::#names(__response) => #web::IntoResponse::into_response(__response, __parts),)*
                }
            }

            fn describe(__contract: &mut #web::Contract<'_>) {
                #(<#types as #web::IntoResponse>::describe(__contract);)*
            }
        }
    })
}
