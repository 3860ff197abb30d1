//! `#[derive(Event)]`: the topic of an event and its payload.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr};

use crate::shape::local;
use crate::text::{Errors, arguments, is_snake, snake, unknown};

/// One kind of event: a struct or a variant.
pub(crate) struct Kind<'a> {
    pub(crate) constructor: TokenStream,
    pub(crate) topic: String,
    /// The name before the key of its aggregate.
    stream: String,
    key: Option<LitStr>,
    pub(crate) fields: &'a Fields,
}

/// The arguments of `#[event(..)]`.
#[derive(Default)]
struct Arguments {
    topic: Option<LitStr>,
    key: Option<LitStr>,
}

/// Expands the derive.
pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let kinds = kinds(&item, &mut errors);
    let topics = kinds.iter().map(|kind| {
        let (constructor, topic) = (&kind.constructor, &kind.topic);
        quote!(#constructor { .. } => #topic,)
    });
    let payloads = kinds.iter().map(|kind| payload(kind, &mut errors));
    let payloads: Vec<TokenStream> = payloads.collect();
    let aggregates = kinds.iter().map(|kind| aggregate(kind, &mut errors));
    let aggregates: Vec<TokenStream> = aggregates.collect();
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

                fn aggregate(&self) -> ::core::option::Option<::std::string::String> {
                    match self { #(#aggregates)* }
                }
            }
        };
    })
}

/// Reads the kinds of events of a struct or an enum.
pub(crate) fn kinds<'a>(item: &'a DeriveInput, errors: &mut Errors) -> Vec<Kind<'a>> {
    let event = event_arguments(&item.attrs, errors);
    match &item.data {
        Data::Struct(data) => structure(item, &data.fields, event, errors),
        Data::Enum(data) => variants(item, data, &event, errors),
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "a union cannot be an event: write a struct or an enum",
            );
            Vec::new()
        }
    }
}

fn structure<'a>(
    item: &DeriveInput,
    fields: &'a Fields,
    event: Arguments,
    errors: &mut Errors,
) -> Vec<Kind<'a>> {
    let Some(topic) = event.topic else {
        errors.at(
            &item.ident,
            "an event needs a topic: add `#[event(topic = \"orders.placed\")]`",
        );
        return Vec::new();
    };
    let topic = topic.value();
    vec![Kind {
        constructor: quote!(Self),
        stream: before_last_dot(&topic),
        topic,
        key: event.key,
        fields,
    }]
}

/// `stock` for `stock.delivered`.
fn before_last_dot(topic: &str) -> String {
    let stream = topic.rsplit_once('.').map_or(topic, |(stream, _)| stream);
    stream.to_owned()
}

/// Each variant has its own topic, or the topic of the enum followed by its name.
fn variants<'a>(
    item: &DeriveInput,
    data: &'a syn::DataEnum,
    event: &Arguments,
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
        let own = event_arguments(&variant.attrs, errors);
        let topic = match (own.topic, &event.topic) {
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
            stream: match &event.topic {
                Some(prefix) => prefix.value(),
                None => before_last_dot(&topic),
            },
            topic,
            key: own.key.or_else(|| event.key.clone()),
            fields: &variant.fields,
        });
    }
    kinds
}

/// Reads `#[event(topic = "..", key = "..")]`.
fn event_arguments(attributes: &[Attribute], errors: &mut Errors) -> Arguments {
    let mut found = Arguments::default();
    for argument in arguments(attributes, "event", errors) {
        match argument.name().as_str() {
            "topic" => found.topic = errors.keep(argument.text()),
            "key" => found.key = errors.keep(argument.text()),
            other => errors.at(&argument.name, unknown(other, &["topic", "key"])),
        }
    }
    if let Some(topic) = &found.topic
        && !topic.value().split('.').all(is_snake)
    {
        errors.at(
            topic,
            "a topic consists of lower-case names joined by `.`, such as `orders.placed`",
        );
    }
    found
}

/// The stream and the value of the key field.
fn aggregate(kind: &Kind<'_>, errors: &mut Errors) -> TokenStream {
    let constructor = &kind.constructor;
    let Some(key) = &kind.key else {
        return quote!(#constructor { .. } => ::core::option::Option::None,);
    };
    let named = |field: &&syn::Field| {
        let ident = field.ident.as_ref();
        ident.is_some_and(|ident| ident.unraw() == key.value())
    };
    let Some(field) = kind.fields.iter().find(named) else {
        let message = format!(
            "`{}` has no field `{}`: name the field with the id of the aggregate",
            kind.topic,
            key.value()
        );
        errors.at(key, message);
        return TokenStream::new();
    };
    let (ident, text) = (&field.ident, format!("{}:{{}}", kind.stream));
    quote! {
        #constructor { #ident: __key, .. } => {
            ::core::option::Option::Some(::std::format!(#text, __key))
        }
    }
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
            "Self :: StockRanOut { .. } => :: core :: option :: Option :: None",
        ] {
            assert!(code.contains(part), "{part} in {code}");
        }
    }

    #[test]
    fn the_key_of_the_enum_is_a_field_of_each_variant() {
        let code = rust(expand(parse_quote! {
            #[event(topic = "order", key = "order")]
            enum OrderEvent {
                Placed { order: Id },
                #[event(topic = "payment.received", key = "bill")]
                Paid { bill: Id },
            }
        }));
        assert!(
            code.contains("Self :: Placed { order : __key , .. }"),
            "{code}"
        );
        assert!(
            code.contains("Self :: Paid { bill : __key , .. }"),
            "{code}"
        );
        assert_eq!(code.matches("\"order:{}\"").count(), 2, "{code}");
        let found = messages(expand(parse_quote! {
            #[event(topic = "stock.delivered", key = "article")]
            struct Delivered { pieces: u8 }
        }));
        let expected =
            "`stock.delivered` has no field `article`: name the field with the id of the aggregate";
        assert_eq!(found, [expected]);
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
