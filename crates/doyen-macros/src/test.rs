//! `#[doyen_test::test]`: runs a test on each database.
//!
//! ```text
//! #[doyen_test::test]
//! async fn opens(shop: Shop) { .. }
//! ```
//!
//! becomes a module `opens` with the function and a `#[test]` for each database. The type of the
//! parameter selects the application under test.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, ItemFn, Token, punctuated::Punctuated};

use crate::text::Errors;

/// The names of the tests, and the variants of `doyen_test::Backend`.
const BACKENDS: [(&str, &str); 2] = [("sqlite", "Sqlite"), ("postgres", "Postgres")];

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(item)?;
    let mut errors = Errors::new();
    let chosen = errors
        .keep(syn::parse::Parser::parse2(
            Punctuated::<Ident, Token![,]>::parse_terminated,
            arguments,
        ))
        .unwrap_or_default();
    for argument in &chosen {
        if !BACKENDS.iter().any(|(name, _)| argument == name) {
            errors.at(
                argument,
                "must be `sqlite` or `postgres`, or omitted to run on both",
            );
        }
    }
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "a test of an application is `async`");
    }
    if signature.inputs.len() != 1 {
        errors.at(&signature.ident, "a test takes one parameter: the application, of a type that implements `doyen_test::Subject`");
    }
    errors.finish(emit(&function, &chosen))
}

fn emit(function: &ItemFn, chosen: &Punctuated<Ident, Token![,]>) -> TokenStream {
    let name = &function.sig.ident;
    // Attributes such as `#[ignore]` go to the tests, all others to the function.
    let (of_tests, of_function): (Vec<_>, Vec<_>) = function.attrs.iter().partition(|attribute| {
        ["ignore", "should_panic", "cfg"]
            .iter()
            .any(|argument| attribute.path().is_ident(argument))
    });
    let body = ItemFn {
        attrs: of_function.into_iter().cloned().collect(),
        ..function.clone()
    };
    let tests = BACKENDS
        .iter()
        .filter(|(argument, _)| chosen.is_empty() || chosen.iter().any(|chosen| chosen == argument))
        .map(|(argument, variant)| {
            let (argument, kind) = (format_ident!("{argument}"), format_ident!("{variant}"));
            let test = quote! {
                #(#of_tests)*
                #[::core::prelude::v1::test]
                fn #argument() {
                    ::doyen_test::__private::run(
                        ::doyen_test::Backend::#kind,
                        ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#argument)),
                        super::#name,
                    );
                }
            };
            // Without the feature `postgres` of the test kit there is no such test.
            match *variant == "Postgres" {
                true if chosen.is_empty() => quote!(::doyen_test::__on_postgres! { #test }),
                true => quote!(::doyen_test::__only_on_postgres! { #test }),
                false => test,
            }
        });
    quote! {
        #body

        mod #name {
            #(#tests)*
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(arguments: &str, item: &str) -> String {
        match expand(arguments.parse().unwrap(), item.parse().unwrap()) {
            Ok(tokens) => tokens.to_string(),
            Err(error) => error
                .into_iter()
                .map(|error| error.to_string())
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    #[test]
    fn a_test_for_each_database() {
        let both = expanded("", "async fn opens(shop: Shop) {}");
        assert!(
            both.contains("fn sqlite") && both.contains("fn postgres"),
            "{both}"
        );
        let one = expanded("postgres", "async fn opens(shop: Shop) {}");
        assert!(
            !one.contains("fn sqlite") && one.contains("fn postgres"),
            "{one}"
        );
    }

    #[test]
    fn every_mistake_is_reported() {
        let found = expanded("mysql", "fn opens() {}");
        assert_eq!(found.matches("; ").count(), 2, "{found}");
        assert!(
            found.contains("`sqlite` or `postgres`")
                && found.contains("`async`")
                && found.contains("one parameter"),
            "{found}"
        );
    }
}
