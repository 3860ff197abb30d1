//! The code: serialization and schema from one model.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, Type, parse_quote};

use super::model::{Computed, Field, Model, Shape, Source, Variant, VariantBody};
use crate::input::emit::with_words;
use crate::input::field::{generic, local};
use crate::input::generics;

fn bound() -> Path {
    parse_quote!(::doyen::__private::Output)
}

/// The implementations.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let generics = generics::bounded(&model.generics, &bound());
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let ident = &model.ident;
    let serialize = serialize(&model.shape);
    let schema = schema(model);
    let etag = model.etag.as_ref().map(etag);
    let location = model.location.as_ref().map(location);
    let object = object(model, &generics);
    quote! {
        #[allow(deprecated, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = {
            #[automatically_derived]
            impl #parameters ::doyen::__private::serde::Serialize for #ident #arguments #conditions {
                fn serialize<__S: ::doyen::__private::serde::Serializer>(
                    &self,
                    __to: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    #serialize
                }
            }

            #[automatically_derived]
            impl #parameters ::doyen::__private::Output for #ident #arguments #conditions {
                fn schema(__all: &mut ::doyen::__private::Components) -> ::doyen::__private::Schema {
                    #schema
                }

                #etag
                #location
            }
            #object
        };
    }
}

fn etag(source: &Source) -> TokenStream {
    let value = read(source);
    quote! {
        const TAGGED: bool = true;

        fn etag(&self) -> ::core::option::Option<::std::string::String> {
            ::core::option::Option::Some(::std::string::ToString::to_string(&#value))
        }
    }
}

fn location(source: &Source) -> TokenStream {
    let value = read(source);
    quote! {
        const LOCATED: bool = true;

        fn location(&self) -> ::core::option::Option<::std::string::String> {
            ::core::option::Option::Some(::std::string::ToString::to_string(&#value))
        }
    }
}

fn read(source: &Source) -> TokenStream {
    match source {
        Source::Field(ident) => quote!(self.#ident),
        Source::Method(ident) => quote!(self.#ident()),
    }
}

fn serialize(shape: &Shape) -> TokenStream {
    match shape {
        Shape::Object { .. } => quote! {
            let mut __to = ::doyen::__private::serde::Serializer::serialize_map(__to, ::core::option::Option::None)?;
            ::doyen::__private::output::parts::Object::write(self, &mut __to)?;
            ::doyen::__private::serde::ser::SerializeMap::end(__to)
        },
        Shape::Newtype(ty) => {
            quote!(::doyen::__private::output::parts::write::<#ty, _>(&self.0, __to))
        }
        Shape::Text { .. } => quote!(::doyen::__private::serde::Serializer::collect_str(
            __to, self
        )),
        Shape::Choice(choices) => {
            let arms = choices.iter().map(|choice| {
                let (ident, word) = (&choice.ident, &choice.word);
                quote!(Self::#ident => #word,)
            });
            quote!(::doyen::__private::serde::Serializer::serialize_str(__to, match self { #(#arms)* }))
        }
        Shape::Tagged { tag, variants } => {
            let arms = variants.iter().map(|variant| write_variant(tag, variant));
            quote! {
                let mut __to = ::doyen::__private::serde::Serializer::serialize_map(__to, ::core::option::Option::None)?;
                match self { #(#arms)* }
                ::doyen::__private::serde::ser::SerializeMap::end(__to)
            }
        }
    }
}

fn write_variant(tag: &str, variant: &Variant) -> TokenStream {
    let (ident, word) = (&variant.ident, &variant.word);
    let tagged = quote!(::doyen::__private::serde::ser::SerializeMap::serialize_entry(&mut __to, #tag, #word)?;);
    match &variant.body {
        VariantBody::Unit => quote!(Self::#ident => { #tagged }),
        VariantBody::Inner(_) => quote! {
            Self::#ident(__inner) => {
                #tagged
                ::doyen::__private::output::parts::Object::write(__inner, &mut __to)?;
            }
        },
        VariantBody::Fields(fields) => {
            let binds = fields.iter().enumerate().map(|(place, field)| {
                let (ident, local) = (&field.ident, local(place));
                quote!(#ident: #local)
            });
            let writes = fields.iter().enumerate().map(|(place, field)| {
                let local = local(place);
                write_field(field, &quote!(#local), &quote!(&mut __to))
            });
            // Fields that are skipped are not bound.
            quote!(Self::#ident { #(#binds,)* .. } => { #tagged #(#writes)* })
        }
    }
}

/// Writes a field; `value` is a reference to it.
fn write_field(field: &Field, value: &TokenStream, to: &TokenStream) -> TokenStream {
    let (wire, ty) = (&field.wire, written(field));
    if field.skip_none {
        return quote! {
            if let ::core::option::Option::Some(__value) = #value {
                ::doyen::__private::output::parts::entry::<#ty, _>(#to, #wire, __value)?;
            }
        };
    }
    quote!(::doyen::__private::output::parts::entry::<#ty, _>(#to, #wire, #value)?;)
}

fn schema(model: &Model) -> TokenStream {
    let name = generics::name(&model.name, &model.generics, &bound());
    let docs = &model.docs;
    let build = match &model.shape {
        Shape::Object { .. } => quote! {
            ::doyen::__private::output::parts::described(
                ::doyen::__private::output::parts::object(<Self as ::doyen::__private::output::parts::Object>::fields(__all), false),
                #docs,
            )
        },
        Shape::Newtype(ty) => {
            quote!(::doyen::__private::output::parts::described(<#ty as ::doyen::__private::Output>::schema(__all), #docs))
        }
        Shape::Text { pattern, format } => {
            let (pattern, format) = (pattern.iter(), format.iter());
            quote! {
                ::doyen::__private::output::parts::described(
                    ::doyen::__private::Schema::of("string") #(.with("pattern", #pattern))* #(.with("format", #format))*,
                    #docs,
                )
            }
        }
        Shape::Choice(choices) => {
            let words = choices.iter().map(|choice| &choice.word);
            let docs = with_words(
                docs,
                choices
                    .iter()
                    .map(|choice| (choice.word.as_str(), choice.docs.as_str())),
            );
            quote!(::doyen::__private::output::parts::words(&[#(#words),*], #docs))
        }
        Shape::Tagged { tag, variants } => describe_tagged(&model.name, tag, variants, docs),
    };
    quote! {
        let __name = #name;
        ::doyen::__private::output::parts::define::<Self>(__all, __name, |__all| #build)
    }
}

fn describe_tagged(name: &str, tag: &str, variants: &[Variant], docs: &str) -> TokenStream {
    let all = variants.iter().map(|variant| {
        let (word, docs) = (&variant.word, &variant.docs);
        let component = format!("{name}{}", variant.ident);
        let fields = match &variant.body {
            VariantBody::Unit => quote!(::std::vec::Vec::new()),
            VariantBody::Inner(ty) => quote!(<#ty as ::doyen::__private::output::parts::Object>::fields(__all)),
            VariantBody::Fields(fields) => list(fields, &[]),
        };
        quote! {
            {
                // A component is known by its type; a variant has none of its own.
                struct __Variant;
                let __schema = ::doyen::__private::output::parts::define::<__Variant>(__all, #component, |__all| {
                    let __fields = #fields;
                    ::doyen::__private::output::parts::variant(#tag, #word, __fields, false, #docs)
                });
                ::doyen::__private::output::parts::Variant { word: #word, schema: __schema }
            }
        }
    });
    quote! {
        {
            let __variants = ::doyen::__private::output::parts::list([#(#all),*]);
            ::doyen::__private::output::parts::one_of(#tag, __variants, #docs)
        }
    }
}

/// The implementation of `parts::Object`, for named fields.
fn object(model: &Model, generics: &syn::Generics) -> Option<TokenStream> {
    let Shape::Object { fields, computed } = &model.shape else {
        return None;
    };
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let ident = &model.ident;
    let described = list(fields, computed);
    let writes = fields.iter().map(|field| {
        let ident = &field.ident;
        write_field(field, &quote!(&self.#ident), &quote!(__to))
    });
    let computes = computed.iter().map(|computed| {
        let (wire, path, ty) = (&computed.wire, &computed.path, &computed.ty);
        quote! {
            {
                let __value: #ty = #path(self);
                ::doyen::__private::output::parts::entry::<#ty, _>(__to, #wire, &__value)?;
            }
        }
    });
    Some(quote! {
        #[automatically_derived]
        impl #parameters ::doyen::__private::output::parts::Object for #ident #arguments #conditions {
            fn fields(__all: &mut ::doyen::__private::Components) -> ::std::vec::Vec<::doyen::__private::output::parts::Field> {
                #described
            }

            fn write<__M: ::doyen::__private::serde::ser::SerializeMap>(&self, __to: &mut __M) -> ::core::result::Result<(), __M::Error> {
                #(#writes)*
                #(#computes)*
                ::core::result::Result::Ok(())
            }
        }
    })
}

fn list(fields: &[Field], computed: &[Computed]) -> TokenStream {
    if fields.is_empty() && computed.is_empty() {
        return quote!(::std::vec::Vec::new());
    }
    let fields = fields.iter().map(describe);
    let computed = computed.iter().map(|computed| {
        let (wire, docs, ty) = (&computed.wire, &computed.docs, &computed.ty);
        one(
            wire,
            true,
            &quote!(<#ty as ::doyen::__private::Output>::schema(__all)),
            docs,
            false,
        )
    });
    let all = fields.chain(computed);
    quote!(::doyen::__private::output::parts::list([#(#all),*]))
}

/// The type that is written. A field that is left out when it is nothing is never null.
fn written(field: &Field) -> &Type {
    match generic(&field.ty) {
        Some((_, inside)) if field.skip_none => inside,
        _ => &field.ty,
    }
}

fn describe(field: &Field) -> TokenStream {
    let ty = written(field);
    let examples = &field.examples;
    let examples = (!examples.is_empty()).then(
        || quote!(.with("examples", ::doyen::__private::serde_json::json!([#(#examples),*]))),
    );
    one(
        &field.wire,
        !field.skip_none,
        &quote!(<#ty as ::doyen::__private::Output>::schema(__all) #examples),
        &field.docs,
        field.deprecated,
    )
}

fn one(
    wire: &str,
    required: bool,
    schema: &TokenStream,
    docs: &str,
    deprecated: bool,
) -> TokenStream {
    quote!(::doyen::__private::output::parts::described_field(#wire, #required, #schema, #docs, #deprecated))
}
