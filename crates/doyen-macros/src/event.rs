//! `#[derive(Event)]`: the topic of an event and its payload.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr};

use crate::shape::local;
use crate::text::{Errors, arguments, is_snake, snake, unknown};

/// One kind of event: a struct or a variant.
struct Kind<'a> {
    constructor: TokenStream,
    topic: String,
    fields: &'a Fields,
}

/// Expands the derive.
pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let topic = topic(&item.attrs, &mut errors);
    let kinds = match &item.data {
        Data::Struct(data) => structure(&item, &data.fields, topic, &mut errors),
        Data::Enum(data) => variants(&item, data, topic.as_ref(), &mut errors),
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "a union cannot be an event: write a struct or an enum",
            );
            Vec::new()
        }
    };
    let topics = kinds.iter().map(|kind| {
        let (constructor, topic) = (&kind.constructor, &kind.topic);
        quote!(#constructor { .. } => #topic,)
    });
    let payloads = kinds.iter().map(|kind| payload(kind, &mut errors));
    let payloads: Vec<TokenStream> = payloads.collect();
    let (ident, (parameters, arguments, conditions)) =
        (&item.ident, item.generics.split_for_impl());
    errors.finish(quote! {
        #[allow(deprecated, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = {
            #[automatically_derived]
            impl #parameters ::doyen::__private::serde::Serialize for #ident #arguments #conditions {
                fn serialize<__S: ::doyen::__private::serde::Serializer>(
                    &self,
                    __to: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    match self { #(#payloads)* }
                }
            }

            #[automatically_derived]
            impl #parameters ::doyen::__private::Event for #ident #arguments #conditions {
                fn topic(&self) -> &'static str {
                    match self { #(#topics)* }
                }
            }
        };
    })
}

fn structure<'a>(
    item: &DeriveInput,
    fields: &'a Fields,
    topic: Option<LitStr>,
    errors: &mut Errors,
) -> Vec<Kind<'a>> {
    let Some(topic) = topic else {
        errors.at(
            &item.ident,
            "an event needs a topic: add `#[event(topic = \"orders.placed\")]`",
        );
        return Vec::new();
    };
    vec![Kind {
        constructor: quote!(Self),
        topic: topic.value(),
        fields,
    }]
}

/// Each variant has its own topic, or the topic of the enum followed by its name.
fn variants<'a>(
    item: &DeriveInput,
    data: &'a syn::DataEnum,
    prefix: Option<&LitStr>,
    errors: &mut Errors,
) -> Vec<Kind<'a>> {
    if data.variants.is_empty() {
        errors.at(
            &item.ident,
            "an enum without variants cannot be an event: add a variant",
        );
    }
    let mut kinds = Vec::new();
    for variant in &data.variants {
        let ident = &variant.ident;
        let topic = match (topic(&variant.attrs, errors), prefix) {
            (Some(topic), _) => topic.value(),
            (None, Some(prefix)) => format!("{}.{}", prefix.value(), snake(&ident.to_string())),
            (None, None) => {
                errors.at(
                    ident,
                    "a variant needs a topic: add `#[event(topic = \"orders.placed\")]` to it, or `#[event(topic = \"orders\")]` to the enum",
                );
                continue;
            }
        };
        kinds.push(Kind {
            constructor: quote!(Self::#ident),
            topic,
            fields: &variant.fields,
        });
    }
    kinds
}

/// Reads `#[event(topic = "..")]`.
fn topic(attributes: &[Attribute], errors: &mut Errors) -> Option<LitStr> {
    let mut topic = None;
    for argument in arguments(attributes, "event", errors) {
        match argument.name().as_str() {
            "topic" => topic = errors.keep(argument.text()),
            other => errors.at(&argument.name, unknown(other, &["topic"])),
        }
    }
    let topic: LitStr = topic?;
    if !topic.value().split('.').all(is_snake) {
        errors.at(
            &topic,
            "a topic consists of lower-case names joined by `.`, such as `orders.placed`",
        );
    }
    Some(topic)
}

/// The fields as one object; the only unnamed field as it is.
fn payload(kind: &Kind<'_>, errors: &mut Errors) -> TokenStream {
    let constructor = &kind.constructor;
    if let Fields::Unnamed(list) = kind.fields {
        if list.unnamed.len() != 1 {
            errors.at(list, "name the fields of the event");
        }
        return quote! {
            #constructor(__inner) => ::doyen::__private::serde::Serialize::serialize(__inner, __to),
        };
    }
    let idents: Vec<&Ident> = kind
        .fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .collect();
    let locals: Vec<Ident> = (0..idents.len()).map(local).collect();
    let names = idents.iter().map(|ident| ident.unraw().to_string());
    let count = idents.len();
    quote! {
        #constructor { #(#idents: #locals),* } => {
            #[allow(unused_mut, reason = "an event may have no fields")]
            let mut __to = ::doyen::__private::serde::Serializer::serialize_map(__to, ::core::option::Option::Some(#count))?;
            #(::doyen::__private::serde::ser::SerializeMap::serialize_entry(&mut __to, #names, #locals)?;)*
            ::doyen::__private::serde::ser::SerializeMap::end(__to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn a_variant_has_the_topic_of_the_enum_and_its_own_name() {
        let code = rust(expand(parse_quote! {
            #[event(topic = "orders")]
            enum OrderEvent {
                Placed { order: Id, r#type: u8 },
                #[event(topic = "payments.received")]
                Paid(Payment),
                StockRanOut,
            }
        }));
        for part in [
            "Self :: Placed { .. } => \"orders.placed\"",
            "Self :: Paid { .. } => \"payments.received\"",
            "Self :: StockRanOut { .. } => \"orders.stock_ran_out\"",
            "\"type\"",
        ] {
            assert!(code.contains(part), "{part} in {code}");
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let found = messages(expand(parse_quote! {
            enum OrderEvent {
                #[event(topik = "orders.placed")]
                Placed,
                #[event(topic = "Orders.Paid")]
                Paid(u8, u8),
            }
        }));
        assert_eq!(
            found,
            [
                "unknown argument `topik`: did you mean `topic`?",
                "a variant needs a topic: add `#[event(topic = \"orders.placed\")]` to it, or `#[event(topic = \"orders\")]` to the enum",
                "a topic consists of lower-case names joined by `.`, such as `orders.placed`",
                "name the fields of the event",
            ]
        );
        let found = messages(expand(parse_quote!(
            struct Placed;
        )));
        assert_eq!(
            found,
            ["an event needs a topic: add `#[event(topic = \"orders.placed\")]`"]
        );
    }
}
