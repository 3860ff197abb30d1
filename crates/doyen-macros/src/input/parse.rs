//! Generates the parser and the checks of an input.

use proc_macro2::TokenStream;
use quote::quote;

use super::field::{Field, Reading};
use super::model::{Model, Text, Variant};
use super::rule::Rule;
use crate::shape::{Shape, VariantBody, local};

/// A newtype is required if its field is.
pub(super) fn required(shape: &Shape<Reading>) -> TokenStream {
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

/// Generates the body of `fn parse`.
pub(super) fn parse(model: &Model) -> TokenStream {
    let read = match &model.shape.shape {
        Shape::Object(fields) => read_object(fields, model.open, &quote!(Self)),
        Shape::Newtype(field) => read_newtype(field),
        Shape::Text(text) => read_text(text),
        Shape::Choice(variants) => read_choice(variants),
        Shape::Tagged { tag, variants } => read_tagged(tag, variants, model.open),
        Shape::Untagged(variants) => read_untagged(variants),
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

/// Generates the expression that reads an object from `__value`.
fn read_object(fields: &[Field], open: bool, constructor: &TokenStream) -> TokenStream {
    let names = fields.iter().map(|field| &field.wire);
    let count = fields.len();
    let reads = fields.iter().enumerate().map(|(place, field)| {
        let (local, wire, read, ty) = (local(place), &field.wire, field.parse(), &field.ty);
        quote! {
            let #local: ::core::option::Option<#ty> = {
                let __given = __fields.take(#place);
                let __at = &__at.field(#wire);
                #read
            };
        }
    });
    let sets = fields.iter().enumerate().map(|(place, field)| {
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
    let narrow = field.narrow();
    quote! {
        let __before = __out.len();
        let ::core::option::Option::Some(__read) = <#ty as ::doyen::__private::Input>::parse(__value, __at, __out) else {
            #narrow
            return ::core::option::Option::None;
        };
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

fn read_choice(variants: &[Variant]) -> TokenStream {
    let words = variants.iter().map(|variant| &variant.wire);
    let arms = variants.iter().enumerate().map(|(place, variant)| {
        let ident = &variant.ident;
        quote!(#place => ::core::option::Option::Some(Self::#ident),)
    });
    quote! {
        match ::doyen::__private::input::parts::choice(__value, &[#(#words),*], __at, __out)? {
            #(#arms)*
            _ => ::core::option::Option::None,
        }
    }
}

/// The first type that accepts the value is taken. If none does, the failures are those of the type
/// with the fewest.
fn read_untagged(variants: &[Variant]) -> TokenStream {
    let tries = variants.iter().filter_map(|variant| {
        let VariantBody::Inner(ty) = &variant.body else {
            return None;
        };
        let ident = &variant.ident;
        Some(quote! {
            let mut __own = ::doyen::__private::Failures::with(__out.strictness());
            match <#ty as ::doyen::__private::Input>::parse(::core::clone::Clone::clone(&__value), __at, &mut __own) {
                ::core::option::Option::Some(__read) => return ::core::option::Option::Some(Self::#ident(__read)),
                ::core::option::Option::None => ::doyen::__private::input::parts::fewer(&mut __least, __own),
            }
        })
    });
    quote! {
        let mut __least = ::core::option::Option::None;
        #(#tries)*
        ::doyen::__private::input::parts::no_variant(__least, __out)
    }
}

fn read_tagged(tag: &str, variants: &[Variant], open: bool) -> TokenStream {
    let words = variants.iter().map(|variant| &variant.wire);
    let arms = variants.iter().enumerate().map(|(place, variant)| {
        let ident = &variant.ident;
        let read = match &variant.body {
            VariantBody::Unit => read_object(&[], false, &quote!(Self::#ident)),
            VariantBody::Inner(ty) => quote!(<#ty as ::doyen::__private::Input>::parse(__value, __at, __out).map(Self::#ident)),
            VariantBody::Fields(fields) => read_object(fields, open, &quote!(Self::#ident)),
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
