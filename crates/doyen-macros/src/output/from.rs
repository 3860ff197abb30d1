//! `#[output(from = Type)]`: the conversion of a domain type into an output.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned as _;
use syn::{Ident, Type};

use super::field::{Field, Writing};
use super::model::Model;
use crate::convert;
use crate::shape::Shape;
use crate::text::Errors;

/// The domain type, or a tuple of it and further values that expressions use.
pub(crate) struct Source {
    ty: Type,
    /// The names of the values in expressions. Fields are taken from the first.
    bindings: Vec<Ident>,
}

impl Source {
    pub(super) fn read(ty: Type) -> syn::Result<Self> {
        let types: Vec<&Type> = match &ty {
            Type::Tuple(tuple) => tuple.elems.iter().collect(),
            one => vec![one],
        };
        let mut bindings: Vec<Ident> = Vec::new();
        for part in &types {
            let name = convert::binding(part).ok_or_else(|| {
                syn::Error::new_spanned(part, "write `from = Order`, or a tuple of named types")
            })?;
            if bindings.contains(&name) {
                return Err(syn::Error::new_spanned(
                    part,
                    format!(
                        "two values would have the name `{name}` in expressions: wrap one in a type of its own"
                    ),
                ));
            }
            bindings.push(name);
        }
        if bindings.is_empty() {
            return Err(syn::Error::new_spanned(&ty, "write `from = Order`"));
        }
        Ok(Self { ty, bindings })
    }
}

/// Rejects combinations that have no effect or no meaning.
pub(super) fn check(source: Option<&Source>, shape: &mut Shape<Writing>, errors: &mut Errors) {
    let is_object = matches!(shape, Shape::Object(_));
    if let Some(source) = source {
        match shape {
            Shape::Object(_) => {}
            Shape::Choice(_) | Shape::Tagged { .. } | Shape::Untagged(_)
                if convert::prefix(&source.ty).is_some() => {}
            Shape::Choice(_) | Shape::Tagged { .. } | Shape::Untagged(_) => {
                errors.at(
                    &source.ty,
                    "the source of an enum is an enum: write its name",
                );
            }
            Shape::Newtype(_) | Shape::Text(_) => errors.at(
                &source.ty,
                "`from` is for structs with named fields and for enums",
            ),
        }
    }
    for field in shape.fields_mut() {
        match &field.details.value {
            Some(value) if !is_object => errors.at(
                value,
                "`value` is for fields of structs: convert the variant in an `impl From`",
            ),
            Some(value) if source.is_none() => errors.at(
                value,
                "`value` uses the source of the struct: add `#[output(from = Type)]` to the struct",
            ),
            _ => {}
        }
    }
}

/// Generates `impl From<Type> for Output`.
pub(super) fn emit(model: &Model) -> Option<TokenStream> {
    let source = model.from.as_ref()?;
    let (ident, ty) = (&model.shape.ident, &source.ty);
    let (parameters, arguments, conditions) = model.shape.generics.split_for_impl();
    // A variant that the output lacks is reported at the name of the domain type.
    let value = Ident::new("__source", ty.span().resolved_at(Span::call_site()));
    let body = match &model.shape.shape {
        Shape::Object(fields) => object(source, fields, &value),
        Shape::Choice(variants) | Shape::Tagged { variants, .. } | Shape::Untagged(variants) => {
            let (from, to) = (
                convert::prefix(ty)?,
                convert::prefix(&syn::parse_quote!(#ident))?,
            );
            convert::variants(&quote!(#value), &from, &to, variants)
        }
        Shape::Newtype(_) | Shape::Text(_) => return None,
    };
    Some(quote! {
        #[automatically_derived]
        impl #parameters ::core::convert::From<#ty> for #ident #arguments #conditions {
            fn from(#value: #ty) -> Self {
                #body
            }
        }
    })
}

/// Fields with an expression come first, so that the expressions can use the source before its
/// fields are moved.
fn object(source: &Source, fields: &[Field], value: &Ident) -> TokenStream {
    let bindings = &source.bindings;
    let first = &bindings[0];
    let pattern = match &source.ty {
        Type::Tuple(_) => quote!((#(#bindings,)*)),
        _ => quote!(#first),
    };
    let computed = fields.iter().filter_map(|field| {
        let (ident, value) = (&field.ident, field.details.value.as_ref()?);
        Some(quote!(#ident: #value,))
    });
    let moved = fields
        .iter()
        .filter(|field| field.details.value.is_none())
        .filter_map(|field| Some((field.ident.as_ref()?, &field.ty)))
        .map(|(ident, ty)| {
            let value = convert::value(&convert::field(first, ident), ty);
            quote!(#ident: #value,)
        });
    quote! {
        #[allow(unused_variables, reason = "further values are for expressions")]
        let #pattern = #value;
        Self { #(#computed)* #(#moved)* }
    }
}
