//! Generates the schema of an input.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, parse_quote};

use super::emit::bound;
use super::field::Field;
use super::model::{Model, Text, Variant};
use super::rule::Rule;
use crate::shape::{self, Shape, VariantBody};

fn parts() -> Path {
    parse_quote!(::doyen::__private::input::parts)
}

/// Generates the body of `fn schema`.
pub(super) fn schema(model: &Model) -> TokenStream {
    let docs = &model.shape.docs;
    let build = match &model.shape.shape {
        Shape::Object(_) => {
            let open = model.open;
            quote! {
                ::doyen::__private::input::parts::described(
                    ::doyen::__private::input::object(<Self as ::doyen::__private::input::Object>::fields(__all), #open),
                    #docs,
                )
            }
        }
        Shape::Newtype(field) => {
            let schema = field.schema();
            quote!(::doyen::__private::input::parts::described(#schema, #docs))
        }
        Shape::Text(text) => describe_text(text, docs),
        Shape::Choice(variants) => shape::choice(&parts(), variants, docs),
        Shape::Tagged { tag, variants } => {
            shape::tagged(&model.shape, &parts(), tag, variants, |variant| {
                variant_fields(variant, model.open)
            })
        }
        Shape::Untagged(variants) => shape::untagged(&parts(), &bound(), variants, docs),
    };
    let build = match model.examples.as_slice() {
        [] => build,
        examples => quote!({
            let __whole: ::doyen::__private::Schema = #build;
            __whole.with("examples", ::doyen::__private::serde_json::json!([#(#examples),*]))
        }),
    };
    if model.unnamed {
        return build;
    }
    shape::component(&model.shape, &parts(), &bound(), &build)
}

/// Generates the fields of a variant, and whether unknown fields are allowed.
fn variant_fields(variant: &Variant, open: bool) -> TokenStream {
    match &variant.body {
        VariantBody::Unit => quote!((::std::vec::Vec::new(), false)),
        VariantBody::Inner(ty) => {
            quote!(::doyen::__private::input::parts::fields_of::<#ty>(__all))
        }
        VariantBody::Fields(fields) => {
            let fields = list(fields);
            quote!((#fields, #open))
        }
    }
}

fn describe_text(text: &Text, docs: &str) -> TokenStream {
    let rules: TokenStream = text.rules.iter().map(Rule::describe).collect();
    let format = text.format.iter();
    quote! {
        {
            let mut __whole = <::std::string::String as ::doyen::__private::Input>::schema(__all);
            {
                let __schema = &mut __whole;
                #(__schema.set("format", #format);)*
                #rules
            }
            ::doyen::__private::input::parts::described(__whole, #docs)
        }
    }
}

fn list(fields: &[Field]) -> TokenStream {
    if fields.is_empty() {
        return quote!(::std::vec::Vec::new());
    }
    let fields = fields.iter().map(Field::describe);
    quote!(::doyen::__private::input::parts::list([#(#fields),*]))
}

/// Generates the `impl Object` of a struct with named fields.
pub(super) fn object(model: &Model, generics: &syn::Generics) -> Option<TokenStream> {
    let Shape::Object(fields) = &model.shape.shape else {
        return None;
    };
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let (ident, open) = (&model.shape.ident, model.open);
    let names = fields.iter().map(|field| &field.wire);
    let headers = fields.iter().map(|field| {
        if field.renamed {
            field.wire.clone()
        } else {
            // Whatever the case of the names in JSON is.
            let name = field.ident.as_ref().map_or_else(String::new, |ident| {
                crate::text::snake(&syn::ext::IdentExt::unraw(ident).to_string())
            });
            name.replace('_', "-")
        }
    });
    let fields = list(fields);
    Some(quote! {
        #[automatically_derived]
        impl #parameters ::doyen::__private::input::Object for #ident #arguments #conditions {
            const OPEN: bool = #open;

            fn names() -> &'static [&'static str] {
                &[#(#names),*]
            }

            fn header_names() -> &'static [&'static str] {
                &[#(#headers),*]
            }

            fn fields(__all: &mut ::doyen::__private::Components) -> ::std::vec::Vec<::doyen::__private::input::Field> {
                #fields
            }
        }
    })
}
