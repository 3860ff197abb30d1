//! Generates the impls of an input.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, parse_quote};

use super::into;
use super::model::Model;
use super::parse::{parse, required};
use super::schema::{object, schema};
use super::verify::asynchronous;
use crate::shape;

/// The bound of type parameters.
pub(super) fn bound() -> Path {
    parse_quote!(::doyen::__private::Input)
}

/// Generates the impls.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let generics = shape::bounded(&model.shape.generics, &bound());
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let ident = &model.shape.ident;
    let required = required(&model.shape.shape);
    let asynchronous = asynchronous(model);
    let parse = parse(model);
    let schema = schema(model);
    let object = object(model, &generics);
    let into = into::emit(model);
    let quiet = shape::quiet(&model.shape.generics);
    quote! {
        #[allow(deprecated, unused_braces, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = {
            #[automatically_derived]
            #quiet
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
            #into
        };
    }
}
