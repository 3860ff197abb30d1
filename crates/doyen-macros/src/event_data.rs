//! `#[derive(EventData)]`: reads an event from its payload.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Fields};

use crate::event::{Kind, kinds};
use crate::text::Errors;

/// Expands the derive.
pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "an event that a handler receives owns its values: remove the parameters",
        );
    }
    let kinds = kinds(&item, &mut errors);
    let topics = kinds.iter().map(|kind| &kind.topic);
    let arms = kinds.iter().map(|kind| arm(kind, &mut errors));
    let arms: Vec<TokenStream> = arms.collect();
    let ident = &item.ident;
    errors.finish(quote! {
        #[allow(deprecated, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = {
            #[automatically_derived]
            impl ::doyen::__private::EventData for #ident {
                const TOPICS: &'static [&'static str] = &[#(#topics),*];

                fn decode(
                    __topic: &str,
                    __payload: &str,
                ) -> ::core::result::Result<Self, ::doyen::__private::serde_json::Error> {
                    match __topic {
                        #(#arms)*
                        __other => ::core::result::Result::Err(
                            ::doyen::__private::unknown_topic(__other),
                        ),
                    }
                }
            }
        };
    })
}

/// Reads one kind through a struct with the same fields.
fn arm(kind: &Kind<'_>, errors: &mut Errors) -> TokenStream {
    let (constructor, topic) = (&kind.constructor, &kind.topic);
    let read = quote!(::doyen::__private::serde_json::from_str(__payload)?);
    match kind.fields {
        Fields::Unit => quote! {
            #topic => ::core::result::Result::Ok(#constructor),
        },
        Fields::Unnamed(list) => {
            if list.unnamed.len() != 1 {
                errors.at(list, "name the fields of the event");
            }
            quote!(#topic => ::core::result::Result::Ok(#constructor(#read)),)
        }
        Fields::Named(list) => {
            let idents: Vec<_> = list.named.iter().map(|field| &field.ident).collect();
            let types = list.named.iter().map(|field| &field.ty);
            quote! {
                #topic => {
                    #[derive(::doyen::__private::serde::Deserialize)]
                    #[serde(crate = "::doyen::__private::serde")]
                    struct __Data { #(#idents: #types),* }
                    let __Data { #(#idents),* } = #read;
                    ::core::result::Result::Ok(#constructor { #(#idents),* })
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn each_topic_is_read_by_its_own_fields() {
        let code = rust(expand(parse_quote! {
            #[event(topic = "order")]
            enum OrderEvent {
                Placed { order: String },
                Paid(Payment),
                Lost,
            }
        }));
        for part in [
            "& [\"order.placed\" , \"order.paid\" , \"order.lost\"]",
            "struct __Data { order : String }",
            "Ok (Self :: Lost)",
        ] {
            assert!(code.contains(part), "{part} in {code}");
        }
    }

    #[test]
    fn a_received_event_owns_its_values() {
        let found = messages(expand(parse_quote! {
            #[event(topic = "order.placed")]
            struct Placed<'a> { order: &'a str }
        }));
        assert_eq!(
            found,
            ["an event that a handler receives owns its values: remove the parameters"]
        );
    }
}
