//! `#[input(into = Type)]`: the conversion of an input into a domain type.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, Ident, Type};

use super::field::{Field, Reading};
use super::model::Model;
use crate::convert;
use crate::shape::Shape;
use crate::shape::args::Arg;
use crate::text::Errors;

/// The domain type, and the values of its fields that the input does not have.
pub(crate) struct Target {
    ty: Type,
    set: Vec<(Ident, Expr)>,
}

impl Target {
    pub(super) fn new(ty: Type) -> Self {
        Self {
            ty,
            set: Vec::new(),
        }
    }
}

/// Adds the arguments of `set(..)` to the target and rejects combinations that have no effect.
pub(super) fn check(
    mut target: Option<Target>,
    set: Option<&Arg>,
    shape: &mut Shape<Reading>,
    errors: &mut Errors,
) -> Option<Target> {
    if let Some(set) = set {
        match (&mut target, &*shape) {
            (Some(target), Shape::Object(_)) => {
                let values = values(set);
                target.set = errors.keep(values).unwrap_or_default();
            }
            (Some(_), _) => errors.at(&set.ident, "`set` is for structs with named fields"),
            (None, _) => errors.at(
                &set.ident,
                "`set` gives values to fields of a domain type: add `into = Type`",
            ),
        }
    }
    if let Some(target) = &target {
        match shape {
            Shape::Object(_) => {}
            Shape::Choice(_) | Shape::Tagged { .. } | Shape::Untagged(_)
                if convert::prefix(&target.ty).is_some() => {}
            _ => errors.at(
                &target.ty,
                "`into` is for structs with named fields and for enums",
            ),
        }
    }
    let is_object = matches!(shape, Shape::Object(_));
    for field in shape.fields_mut() {
        if field.details.skip_into && target.is_none() {
            errors.at(
                &field.ident,
                "`skip_into` leaves a field out of a conversion: add `#[input(into = Type)]` to the struct",
            );
        } else if field.details.skip_into && !is_object {
            errors.at(&field.ident, "`skip_into` is for fields of structs");
        }
    }
    target
}

fn values(set: &Arg) -> syn::Result<Vec<(Ident, Expr)>> {
    const EXAMPLE: &str = "set(status = Status::Open)";
    set.list(EXAMPLE)?
        .into_iter()
        .map(|arg| Ok((arg.ident.clone(), arg.value(EXAMPLE)?.clone())))
        .collect()
}

/// Generates `impl From<Input> for Type`.
pub(super) fn emit(model: &Model) -> Option<TokenStream> {
    let target = model.into.as_ref()?;
    let (ident, ty) = (&model.shape.ident, &target.ty);
    let (parameters, arguments, conditions) = model.shape.generics.split_for_impl();
    let input = convert::variable(&ident.unraw().to_string());
    let body = match &model.shape.shape {
        Shape::Object(fields) => object(target, fields, &input),
        Shape::Choice(variants) | Shape::Tagged { variants, .. } | Shape::Untagged(variants) => {
            let (from, to) = (
                convert::prefix(&syn::parse_quote!(#ident))?,
                convert::prefix(ty)?,
            );
            convert::variants(&quote!(#input), &from, &to, variants)
        }
        Shape::Newtype(_) | Shape::Text(_) => return None,
    };
    Some(quote! {
        #[automatically_derived]
        impl #parameters ::core::convert::From<#ident #arguments> for #ty #conditions {
            fn from(#input: #ident #arguments) -> Self {
                #body
            }
        }
    })
}

/// The values of `set` come first, so that they can use the input before its fields are moved.
fn object(target: &Target, fields: &[Field], input: &Ident) -> TokenStream {
    let set = target
        .set
        .iter()
        .map(|(name, value)| quote!(#name: #value,));
    let is_set = |ident: &Ident| target.set.iter().any(|(name, _)| name == ident);
    let moved = fields
        .iter()
        .filter(|field| !field.details.skip_into)
        .filter_map(|field| Some((field.ident.as_ref()?, &field.ty)))
        .filter(|(ident, _)| !is_set(ident))
        .map(|(ident, ty)| {
            let value = convert::value(&convert::field(input, ident), ty);
            quote!(#ident: #value,)
        });
    // A missing field is reported at the name of the domain type.
    let constructor = quote_spanned!(target.ty.span().resolved_at(Span::call_site())=> Self);
    quote!(#constructor { #(#set)* #(#moved)* })
}
