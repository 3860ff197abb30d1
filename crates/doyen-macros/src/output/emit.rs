//! Generates the serialization and the schema.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, Type, parse_quote};

use super::field::{Field, Writing};
use super::from;
use super::model::{Computed, Member, Model};
use crate::schema::with_schema;
use crate::shape::{self, Shape, VariantBody, generic, local};

type Variant = shape::Variant<Writing>;

fn bound() -> Path {
    parse_quote!(::doyen::__private::Output)
}

fn parts() -> Path {
    parse_quote!(::doyen::__private::output::parts)
}

/// Generates the impls.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let generics = shape::bounded(&model.shape.generics, &bound());
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let ident = &model.shape.ident;
    let serialize = serialize(&model.shape.shape);
    let schema = schema(model);
    let etag = model.etag.as_ref().map(etag);
    let location = model.location.as_ref().map(location);
    let object = object(model, &generics);
    let from = from::emit(model);
    let quiet = shape::quiet(&model.shape.generics);
    let serialize = quote! {
        #[automatically_derived]
        impl #parameters ::doyen::__private::serde::Serialize for #ident #arguments #conditions {
            fn serialize<__S: ::doyen::__private::serde::Serializer>(
                &self,
                __to: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                #serialize
            }
        }
    };
    let described = quote! {
        #[automatically_derived]
        #quiet
        impl #parameters ::doyen::__private::Output for #ident #arguments #conditions {
            fn schema(__all: &mut ::doyen::__private::Components) -> ::doyen::__private::Schema {
                #schema
            }

            #etag
            #location
        }
        #object
        #from
    };
    match &model.shape.shape {
        // An enumerated value or a text needs no schema to be written, so that an event of a domain
        // that is compiled alone can contain it.
        Shape::Choice(_) | Shape::Text { .. } => {
            let (serialize, described) = (anonymous(&serialize), anonymous(&described));
            let described = with_schema(&described);
            quote!(#serialize #described)
        }
        _ => with_schema(&anonymous(&quote!(#serialize #described))),
    }
}

/// Wraps generated code so that it adds no names.
fn anonymous(code: &TokenStream) -> TokenStream {
    quote! {
        #[allow(deprecated, unused_braces, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = { #code };
    }
}

fn etag(member: &Member) -> TokenStream {
    let value = read(member);
    quote! {
        const TAGGED: bool = true;

        fn etag(&self) -> ::core::option::Option<::std::string::String> {
            ::core::option::Option::Some(::std::string::ToString::to_string(&#value))
        }
    }
}

fn location(member: &Member) -> TokenStream {
    let value = read(member);
    quote! {
        const LOCATED: bool = true;

        fn location(&self) -> ::core::option::Option<::std::string::String> {
            ::core::option::Option::Some(::std::string::ToString::to_string(&#value))
        }
    }
}

fn read(member: &Member) -> TokenStream {
    match member {
        Member::Field(ident) => quote!(self.#ident),
        Member::Method(ident) => quote!(self.#ident()),
    }
}

fn serialize(shape: &Shape<Writing>) -> TokenStream {
    match shape {
        Shape::Object(_) => quote! {
            let mut __to = ::doyen::__private::serde::Serializer::serialize_map(__to, ::core::option::Option::None)?;
            ::doyen::__private::output::parts::Object::write(self, &mut __to)?;
            ::doyen::__private::serde::ser::SerializeMap::end(__to)
        },
        Shape::Newtype(field) => {
            let ty = &field.ty;
            quote!(::doyen::__private::output::parts::write::<#ty, _>(&self.0, __to))
        }
        Shape::Text { .. } => quote!(::doyen::__private::serde::Serializer::collect_str(
            __to, self
        )),
        Shape::Choice(variants) => {
            let arms = variants.iter().map(|variant| {
                let (ident, word) = (&variant.ident, &variant.wire);
                quote!(Self::#ident => #word,)
            });
            quote!(::doyen::__private::serde::Serializer::serialize_str(__to, match self { #(#arms)* }))
        }
        Shape::Untagged(variants) => {
            let arms = variants.iter().filter_map(|variant| match &variant.body {
                VariantBody::Inner(ty) => {
                    let ident = &variant.ident;
                    Some(quote!(Self::#ident(__inner) => ::doyen::__private::output::parts::write::<#ty, _>(__inner, __to),))
                }
                _ => None,
            });
            quote!(match self { #(#arms)* })
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

/// Returns the fields that are members of the JSON object.
fn members(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|field| !field.details.skip)
}

fn write_variant(tag: &str, variant: &Variant) -> TokenStream {
    let (ident, word) = (&variant.ident, &variant.wire);
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
            let fields = || members(fields);
            let binds = fields().enumerate().map(|(place, field)| {
                let (ident, local) = (&field.ident, local(place));
                quote!(#ident: #local)
            });
            let writes = fields().enumerate().map(|(place, field)| {
                let local = local(place);
                write_field(field, &quote!(#local), &quote!(&mut __to))
            });
            // Skipped fields are not bound.
            quote!(Self::#ident { #(#binds,)* .. } => { #tagged #(#writes)* })
        }
    }
}

/// Generates the code that writes a field. `value` is a reference to it.
fn write_field(field: &Field, value: &TokenStream, to: &TokenStream) -> TokenStream {
    write_entry(&field.wire, &field.ty, field.details.skip_none, value, to)
}

fn write_entry(
    wire: &str,
    ty: &Type,
    skip_none: bool,
    value: &TokenStream,
    to: &TokenStream,
) -> TokenStream {
    let ty = written(ty, skip_none);
    if skip_none {
        return quote! {
            if let ::core::option::Option::Some(__value) = #value {
                ::doyen::__private::output::parts::entry::<#ty, _>(#to, #wire, __value)?;
            }
        };
    }
    quote!(::doyen::__private::output::parts::entry::<#ty, _>(#to, #wire, #value)?;)
}

fn schema(model: &Model) -> TokenStream {
    let docs = &model.shape.docs;
    let build = match &model.shape.shape {
        Shape::Object(_) => quote! {
            ::doyen::__private::output::parts::described(
                ::doyen::__private::output::parts::object(<Self as ::doyen::__private::output::parts::Object>::fields(__all), false),
                #docs,
            )
        },
        Shape::Newtype(field) => {
            let ty = &field.ty;
            quote!(::doyen::__private::output::parts::described(<#ty as ::doyen::__private::Output>::schema(__all), #docs))
        }
        Shape::Text(text) => {
            let (pattern, format) = (text.pattern.iter(), text.format.iter());
            quote! {
                ::doyen::__private::output::parts::described(
                    ::doyen::__private::Schema::of("string") #(.with("pattern", #pattern))* #(.with("format", #format))*,
                    #docs,
                )
            }
        }
        Shape::Choice(variants) => shape::choice(&parts(), variants, docs),
        Shape::Tagged { tag, variants } => {
            shape::tagged(&model.shape, &parts(), tag, variants, variant_fields)
        }
        Shape::Untagged(variants) => shape::untagged(&parts(), &bound(), variants, docs),
    };
    shape::component(&model.shape, &parts(), &bound(), &build)
}

/// Generates the fields of a variant. Unknown fields are not allowed.
fn variant_fields(variant: &Variant) -> TokenStream {
    let fields = match &variant.body {
        VariantBody::Unit => quote!(::std::vec::Vec::new()),
        VariantBody::Inner(ty) => {
            quote!(<#ty as ::doyen::__private::output::parts::Object>::fields(__all))
        }
        VariantBody::Fields(fields) => list(fields, &[]),
    };
    quote!((#fields, false))
}

/// Generates the `impl parts::Object` of a struct with named fields.
fn object(model: &Model, generics: &syn::Generics) -> Option<TokenStream> {
    let Shape::Object(fields) = &model.shape.shape else {
        return None;
    };
    let computed = &model.computed;
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let ident = &model.shape.ident;
    let described = list(fields, computed);
    let writes = members(fields).map(|field| {
        let ident = &field.ident;
        write_field(field, &quote!(&self.#ident), &quote!(__to))
    });
    let computes = computed.iter().map(|computed| {
        let (path, ty) = (&computed.path, &computed.ty);
        let write = write_entry(
            &computed.wire,
            ty,
            computed.skip_none,
            &quote!(&__value),
            &quote!(__to),
        );
        quote! {
            {
                let __value: #ty = #path(self);
                #write
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
    let fields: Vec<TokenStream> = members(fields).map(describe).collect();
    if fields.is_empty() && computed.is_empty() {
        return quote!(::std::vec::Vec::new());
    }
    let computed = computed.iter().map(|computed| {
        let (wire, docs) = (&computed.wire, &computed.docs);
        let ty = written(&computed.ty, computed.skip_none);
        one(
            wire,
            !computed.skip_none,
            &quote!(<#ty as ::doyen::__private::Output>::schema(__all)),
            docs,
            false,
        )
    });
    let all = fields.into_iter().chain(computed);
    quote!(::doyen::__private::output::parts::list([#(#all),*]))
}

/// Returns the type in the schema. A field that is omitted when it is `None` is never null.
fn written(ty: &Type, skip_none: bool) -> &Type {
    match generic(ty) {
        Some((_, inside)) if skip_none => inside,
        _ => ty,
    }
}

fn describe(field: &Field) -> TokenStream {
    let ty = written(&field.ty, field.details.skip_none);
    let examples = &field.examples;
    let examples = (!examples.is_empty()).then(
        || quote!(.with("examples", ::doyen::__private::serde_json::json!([#(#examples),*]))),
    );
    one(
        &field.wire,
        !field.details.skip_none,
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
