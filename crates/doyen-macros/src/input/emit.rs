//! The code: parser, checks and schema from one model.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Path, parse_quote};

use super::field::{Field, local};
use super::generics;
use super::model::{Choice, Model, Object, Shape, Text, Variant, VariantBody};
use super::rule::{Kind, Rule};

fn bound() -> Path {
    parse_quote!(::doyen::__private::Input)
}

/// The implementations.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let generics = generics::bounded(&model.generics, &bound());
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let ident = &model.ident;
    let required = required(&model.shape);
    let asynchronous = asynchronous(model);
    let parse = parse(model);
    let schema = schema(model);
    let object = object(model, &generics);
    quote! {
        #[allow(deprecated, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = {
            #[automatically_derived]
            impl #parameters ::doyen::__private::Input for #ident #arguments #conditions {
                #required

                fn parse(
                    __value: ::doyen::__private::input::Value<'_>,
                    __at: &::doyen::__private::At<'_>,
                    __out: &mut ::doyen::__private::Failures,
                ) -> ::core::option::Option<Self> {
                    #parse
                }

                fn schema(__all: &mut ::doyen::__private::Components) -> ::doyen::__private::Schema {
                    #schema
                }

                #asynchronous
            }
            #object
        };
    }
}

/// A newtype is as required as what it holds.
fn required(shape: &Shape) -> TokenStream {
    let Shape::Newtype(field) = shape else {
        return TokenStream::new();
    };
    let ty = &field.ty;
    quote! {
        const REQUIRED: bool = <#ty as ::doyen::__private::Input>::REQUIRED;

        fn absent(__at: &::doyen::__private::At<'_>, __out: &mut ::doyen::__private::Failures) -> ::core::option::Option<Self> {
            <#ty as ::doyen::__private::Input>::absent(__at, __out).map(Self)
        }
    }
}

fn parse(model: &Model) -> TokenStream {
    let read = match &model.shape {
        Shape::Object(object) => read_object(object, &quote!(Self)),
        Shape::Newtype(field) => read_newtype(field),
        Shape::Text(text) => read_text(text),
        Shape::Choice(choices) => read_choice(choices),
        Shape::Tagged { tag, variants } => read_tagged(tag, variants),
    };
    let checks: TokenStream = model.rules.iter().map(Rule::check).collect();
    if checks.is_empty() {
        return read;
    }
    quote! {
        let __before = __out.len();
        let __read: ::core::option::Option<Self> = (|| { #read })();
        if let ::core::option::Option::Some(__value) = &__read {
            #checks
        }
        if __out.len() == __before { __read } else { ::core::option::Option::None }
    }
}

/// Reads an object from `__value`: the last expression of a block.
fn read_object(object: &Object, constructor: &TokenStream) -> TokenStream {
    let open = object.open;
    let names = object.fields.iter().map(|field| &field.wire);
    let count = object.fields.len();
    let reads = object.fields.iter().enumerate().map(|(place, field)| {
        let (local, wire, read, ty) = (local(place), &field.wire, field.parse(), &field.ty);
        quote! {
            let #local: ::core::option::Option<#ty> = {
                let __given = __fields.take(#place);
                let __at = &__at.field(#wire);
                #read
            };
        }
    });
    let sets = object.fields.iter().enumerate().map(|(place, field)| {
        let (ident, local) = (&field.ident, local(place));
        quote!(#ident: #local?)
    });
    quote! {
        {
            let __before = __out.len();
            static __NAMES: [&str; #count] = [#(#names),*];
            #[allow(unused_mut, reason = "an object may have no fields")]
            let mut __fields = ::doyen::__private::input::parts::Fields::open(__value, &__NAMES, #open, __at, __out)?;
            #(#reads)*
            if __out.len() != __before {
                return ::core::option::Option::None;
            }
            ::core::option::Option::Some(#constructor { #(#sets),* })
        }
    }
}

fn read_newtype(field: &Field) -> TokenStream {
    let ty = &field.ty;
    let checks = field.checks();
    quote! {
        let __before = __out.len();
        let __read = <#ty as ::doyen::__private::Input>::parse(__value, __at, __out)?;
        {
            let __value = &__read;
            #checks
        }
        if __out.len() == __before { ::core::option::Option::Some(Self(__read)) } else { ::core::option::Option::None }
    }
}

fn read_text(text: &Text) -> TokenStream {
    let code = &text.code;
    let checks: TokenStream = text.rules.iter().map(Rule::check).collect();
    let read = match &text.read {
        Some(path) => quote!(|__text: &str| #path(__text)),
        None => quote!(<Self as ::core::str::FromStr>::from_str),
    };
    quote! {
        let __before = __out.len();
        let __text = <::std::string::String as ::doyen::__private::Input>::parse(__value, __at, __out)?;
        {
            let __value = &__text;
            #checks
        }
        if __out.len() != __before {
            return ::core::option::Option::None;
        }
        ::doyen::__private::input::parts::from_text(__text, #read, #code, __at, __out)
    }
}

fn read_choice(choices: &[Choice]) -> TokenStream {
    let words = choices.iter().map(|choice| &choice.word);
    let arms = choices.iter().enumerate().map(|(place, choice)| {
        let ident = &choice.ident;
        quote!(#place => ::core::option::Option::Some(Self::#ident),)
    });
    quote! {
        match ::doyen::__private::input::parts::choice(__value, &[#(#words),*], __at, __out)? {
            #(#arms)*
            _ => ::core::option::Option::None,
        }
    }
}

fn read_tagged(tag: &str, variants: &[Variant]) -> TokenStream {
    let words = variants.iter().map(|variant| &variant.word);
    let arms = variants.iter().enumerate().map(|(place, variant)| {
        let ident = &variant.ident;
        let read = match &variant.body {
            VariantBody::Unit => read_object(&Object { fields: Vec::new(), open: false }, &quote!(Self::#ident)),
            VariantBody::Inner(ty) => quote!(<#ty as ::doyen::__private::Input>::parse(__value, __at, __out).map(Self::#ident)),
            VariantBody::Fields(object) => read_object(object, &quote!(Self::#ident)),
        };
        quote!(#place => #read,)
    });
    quote! {
        let (__variant, __value) = ::doyen::__private::input::parts::tagged(__value, #tag, &[#(#words),*], __at, __out)?;
        match __variant {
            #(#arms)*
            _ => ::core::option::Option::None,
        }
    }
}

fn schema(model: &Model) -> TokenStream {
    let name = generics::name(&model.name, &model.generics, &bound());
    let docs = &model.docs;
    let build = match &model.shape {
        Shape::Object(object) => {
            let open = object.open;
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
        Shape::Choice(choices) => describe_choice(choices, docs),
        Shape::Tagged { tag, variants } => describe_tagged(&model.name, tag, variants, docs),
    };
    quote! {
        let __name = #name;
        ::doyen::__private::input::parts::define::<Self>(__all, __name, |__all| #build)
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

fn describe_choice(choices: &[Choice], docs: &str) -> TokenStream {
    let words = choices.iter().map(|choice| &choice.word);
    let docs = with_words(
        docs,
        choices
            .iter()
            .map(|choice| (choice.word.as_str(), choice.docs.as_str())),
    );
    quote!(::doyen::__private::input::parts::words(&[#(#words),*], #docs))
}

/// The description of an enum, with a line for each word that has one.
pub(crate) fn with_words<'a>(
    docs: &str,
    words: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let lines: Vec<String> = words
        .filter(|(_, docs)| !docs.is_empty())
        .map(|(word, docs)| {
            format!(
                "- `{word}`: {}",
                docs.split("\n\n").next().unwrap_or_default()
            )
        })
        .collect();
    let parts = [docs.to_owned(), lines.join("\n")];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn describe_tagged(name: &str, tag: &str, variants: &[Variant], docs: &str) -> TokenStream {
    let all = variants.iter().map(|variant| {
        let (word, docs) = (&variant.word, &variant.docs);
        let component = format!("{name}{}", variant.ident);
        let fields = match &variant.body {
            VariantBody::Unit => quote!((::std::vec::Vec::new(), false)),
            VariantBody::Inner(ty) => quote!(::doyen::__private::input::parts::fields_of::<#ty>(__all)),
            VariantBody::Fields(object) => {
                let open = object.open;
                let fields = list(&object.fields);
                quote!((#fields, #open))
            }
        };
        quote! {
            {
                // A component is known by its type; a variant has none of its own.
                struct __Variant;
                let __schema = ::doyen::__private::input::parts::define::<__Variant>(__all, #component, |__all| {
                    let (__fields, __open) = #fields;
                    ::doyen::__private::input::parts::variant(#tag, #word, __fields, __open, #docs)
                });
                ::doyen::__private::input::parts::Variant { word: #word, schema: __schema }
            }
        }
    });
    quote! {
        {
            let __variants = ::doyen::__private::input::parts::list([#(#all),*]);
            ::doyen::__private::input::parts::one_of(#tag, __variants, #docs)
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

/// The implementation of `Object`, for named fields.
fn object(model: &Model, generics: &syn::Generics) -> Option<TokenStream> {
    let Shape::Object(object) = &model.shape else {
        return None;
    };
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let (ident, open) = (&model.ident, object.open);
    let fields = list(&object.fields);
    let names = object.fields.iter().map(|field| &field.wire);
    Some(quote! {
        #[automatically_derived]
        impl #parameters ::doyen::__private::input::Object for #ident #arguments #conditions {
            const OPEN: bool = #open;

            fn names() -> &'static [&'static str] {
                &[#(#names),*]
            }

            fn fields(__all: &mut ::doyen::__private::Components) -> ::std::vec::Vec<::doyen::__private::input::Field> {
                #fields
            }
        }
    })
}

/// `ASYNC` and `verify`, when anything in the type may be asynchronous.
fn asynchronous(model: &Model) -> TokenStream {
    let whole: TokenStream = model.rules.iter().filter_map(Rule::verify).collect();
    let whole = (!whole.is_empty()).then(|| quote!({ let __value = self; #whole }));
    let verify = match &model.shape {
        Shape::Object(object) => {
            let all = object.fields.iter().filter_map(|field| {
                let ident = &field.ident;
                verify_field(field, &quote!(&self.#ident))
            });
            quote!(#(#all)*)
        }
        Shape::Newtype(field) => field
            .verify()
            .map(|code| quote!({ let __value = &self.0; #code }))
            .unwrap_or_default(),
        Shape::Tagged { variants, .. } => verify_variants(variants),
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
            VariantBody::Fields(object) => {
                let binds = object.fields.iter().enumerate().map(|(place, field)| {
                    let (ident, local) = (&field.ident, local(place));
                    quote!(#ident: #local)
                });
                let checks: Vec<TokenStream> = object
                    .fields
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

/// The constants that together say whether anything is asynchronous.
fn async_parts(model: &Model) -> Vec<TokenStream> {
    let field = |field: &Field| part(field, &model.ident);
    match &model.shape {
        Shape::Object(object) => object.fields.iter().flat_map(field).collect(),
        Shape::Newtype(inner) => field(inner),
        Shape::Tagged { variants, .. } => variants
            .iter()
            .flat_map(|variant| match &variant.body {
                VariantBody::Unit => Vec::new(),
                VariantBody::Inner(ty) => vec![quote!(<#ty as ::doyen::__private::Input>::ASYNC)],
                VariantBody::Fields(object) => object.fields.iter().flat_map(field).collect(),
            })
            .collect(),
        Shape::Text(_) | Shape::Choice(_) => Vec::new(),
    }
}

fn part(field: &Field, owner: &Ident) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    // Types that name each other can not ask each other at compile time: verifying for nothing is safe, not verifying is not.
    if field.is_async() || field.recursive {
        parts.push(quote!(true));
    } else if field.can_be_async() && !field.names(owner) {
        let ty = &field.ty;
        parts.push(quote!(<#ty as ::doyen::__private::Input>::ASYNC));
    }
    parts
}
