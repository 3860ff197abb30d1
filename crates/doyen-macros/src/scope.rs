//! `#[derive(Scope)]`: scope names such as `tickets:read`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::role::{self, Naming};

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let model = role::read(
        &item,
        &Naming {
            attribute: "scope",
            example: "tickets:read",
            required: true,
        },
    )?;
    let name = &model.name;
    let (variants, names): (Vec<_>, Vec<_>) = model
        .variants
        .iter()
        .map(|variant| (&variant.ident, &variant.name))
        .unzip();
    let docs = model.variants.iter().map(|variant| &variant.docs);
    Ok(quote! {
        #[automatically_derived]
        impl ::doyen::__private::Scope for #name {
            fn name(self) -> &'static str {
                match self { #(Self::#variants => #names,)* }
            }
            fn description(self) -> &'static str {
                match self { #(Self::#variants => #docs,)* }
            }
            fn all() -> ::std::vec::Vec<Self> {
                ::std::vec![#(Self::#variants),*]
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn each_variant_has_its_name_and_its_doc() {
        let code = rust(expand(parse_quote! {
            enum Scope {
                /// Read your tickets.
                #[scope("tickets:read")]
                TicketsRead,
            }
        }));
        assert!(
            code.contains("Self :: TicketsRead => \"tickets:read\"")
                && code.contains("\"Read your tickets.\""),
            "{code}"
        );
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let wrong = messages(expand(parse_quote! {
            enum Scope {
                /// No word.
                Bare,
                #[scope("a")]
                Undocumented,
                /// Twice.
                #[scope("a")]
                Twice,
                /// A blank.
                #[scope("tickets read")]
                Blank,
                /// Fields.
                #[scope("b")]
                Fields(u8),
                /// Not a text.
                #[scope(b)]
                Bare2,
            }
        }));
        assert_eq!(
            wrong,
            [
                "`Bare` needs a name: write `#[scope(\"tickets:read\")]` above it",
                "`Undocumented` needs a doc comment, which tells clients what the scope permits",
                "`a` is given twice: each variant needs a distinct name",
                "`tickets read` contains characters other than `a-z 0-9 _ . : -`: write for example `#[scope(\"tickets:read\")]`",
                "`Fields` has fields, which a scope cannot have: remove them",
                "expected string literal: write `#[scope(\"tickets:read\")]`",
            ]
        );
    }
}
