//! Type parameters: their bounds, and their part of the schema name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Generics, Ident, Path, parse_quote};

use crate::text::unlisted;

/// Returns the generics with a bound on every type parameter.
pub(crate) fn bounded(generics: &Generics, bound: &Path) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#bound));
    }
    generics
}

/// Generates the attribute of [`unlisted`] types. An error inside a generic type would be lost with
/// it.
pub(crate) fn quiet(generics: &Generics) -> Option<TokenStream> {
    if generics.params.is_empty() {
        unlisted()
    } else {
        None
    }
}

/// Generates the schema name of the type, a `&str`: `PageTicket` for `Page<Ticket>`.
pub(super) fn name(base: &str, generics: &Generics, bound: &Path) -> TokenStream {
    let parameters: Vec<&Ident> = generics
        .type_params()
        .map(|parameter| &parameter.ident)
        .collect();
    if parameters.is_empty() {
        return quote!(#base);
    }
    quote!(&::doyen::__private::input::parts::name_of(#base, &[#(<#parameters as #bound>::schema(__all)),*]))
}

/// Rejects lifetimes: inputs and outputs own their values.
pub(crate) fn no_lifetimes(generics: &Generics) -> syn::Result<()> {
    match generics.lifetimes().next() {
        Some(lifetime) => Err(syn::Error::new_spanned(
            lifetime,
            "the type must own its values: write `String` instead of `&str`, without a lifetime",
        )),
        None => Ok(()),
    }
}
