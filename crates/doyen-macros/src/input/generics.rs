//! Type parameters: a bound for each, and the name they add in the document.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Generics, Ident, Path, parse_quote};

/// The generics with a bound on every type parameter.
pub(crate) fn bounded(generics: &Generics, bound: &Path) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#bound));
    }
    generics
}

/// The expression of the type's name in the document, a `&str`: `Page` of `Ticket` is `PageTicket`.
pub(crate) fn name(base: &str, generics: &Generics, bound: &Path) -> TokenStream {
    let parameters: Vec<&Ident> = generics
        .type_params()
        .map(|parameter| &parameter.ident)
        .collect();
    if parameters.is_empty() {
        return quote!(#base);
    }
    quote!(&::doyen::__private::input::parts::name_of(#base, &[#(<#parameters as #bound>::schema(__all)),*]))
}

/// Refuses lifetimes: a value that was read or is written owns what it holds.
pub(crate) fn no_lifetimes(generics: &Generics) -> syn::Result<()> {
    match generics.lifetimes().next() {
        Some(lifetime) => Err(syn::Error::new_spanned(
            lifetime,
            "the type must own its values: write `String` instead of `&str`, without a lifetime",
        )),
        None => Ok(()),
    }
}
