//! `#[derive(Role)]`: role names such as `admin`. `#[derive(Scope)]` shares the parser.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr};

use crate::text::{Errors, docs, snake};

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let model = read(
        &item,
        &Naming {
            attribute: "role",
            example: "admin",
            required: false,
        },
    )?;
    let name = &model.name;
    let (variants, names): (Vec<_>, Vec<_>) = model
        .variants
        .iter()
        .map(|variant| (&variant.ident, &variant.name))
        .unzip();
    Ok(quote! {
        #[automatically_derived]
        impl ::doyen::__private::Role for #name {
            fn name(self) -> &'static str {
                match self { #(Self::#variants => #names,)* }
            }
        }
    })
}

/// How the variants get their names.
pub(crate) struct Naming {
    /// The attribute, and the term for a variant in messages.
    pub(crate) attribute: &'static str,
    /// A name to show in messages.
    pub(crate) example: &'static str,
    /// True if each variant needs a name in its attribute and a doc comment. Otherwise the name is
    /// the identifier in snake case.
    pub(crate) required: bool,
}

/// An enum of names.
pub(crate) struct NamedEnum {
    pub(crate) name: Ident,
    pub(crate) variants: Vec<Variant>,
}

/// A variant.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) docs: String,
}

/// Reads an enum whose unit variants are names.
pub(crate) fn read(item: &DeriveInput, naming: &Naming) -> syn::Result<NamedEnum> {
    let mut errors = Errors::new();
    let Naming {
        attribute,
        example,
        required,
    } = naming;
    let Data::Enum(data) = &item.data else {
        return Err(syn::Error::new_spanned(
            &item.ident,
            format!(
                "`{attribute}` is derived for an enum: write `enum {}` with a variant for each {attribute}",
                item.ident
            ),
        ));
    };
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            format!("a {attribute} cannot have generic parameters: remove them"),
        );
    }
    if data.variants.is_empty() {
        errors.at(
            &item.ident,
            format!(
                "`{}` has no variants: add one for each {attribute}",
                item.ident
            ),
        );
    }
    let mut variants: Vec<Variant> = Vec::new();
    for variant in &data.variants {
        let ident = variant.ident.clone();
        if variant.fields != Fields::Unit {
            errors.at(
                &ident,
                format!("`{ident}` has fields, which a {attribute} cannot have: remove them"),
            );
        }
        let docs = docs(&variant.attrs);
        if *required && docs.is_empty() {
            errors.at(&ident, format!("`{ident}` needs a doc comment, which tells clients what the {attribute} permits"));
        }
        let given = given(&variant.attrs, naming, &mut errors);
        let name = match given {
            Given::Named(text) => text.value(),
            Given::Wrong => continue,
            Given::Nothing if *required => {
                errors.at(
                    &ident,
                    format!(
                        "`{ident}` needs a name: write `#[{attribute}(\"{example}\")]` above it"
                    ),
                );
                continue;
            }
            Given::Nothing => snake(&ident.to_string()),
        };
        if variants.iter().any(|before| before.name == name) {
            errors.at(
                &ident,
                format!("`{name}` is given twice: each variant needs a distinct name"),
            );
        }
        variants.push(Variant { ident, name, docs });
    }
    errors.finish(NamedEnum {
        name: item.ident.clone(),
        variants,
    })
}

enum Given {
    Named(LitStr),
    Wrong,
    Nothing,
}

/// Returns the name in `#[scope("..")]`.
fn given(attributes: &[Attribute], naming: &Naming, errors: &mut Errors) -> Given {
    let Naming {
        attribute: name,
        example,
        ..
    } = naming;
    let mut given = Given::Nothing;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        let text = match attribute.parse_args::<LitStr>() {
            Ok(text) => text,
            Err(error) => {
                errors.push(syn::Error::new(
                    error.span(),
                    format!("{error}: write `#[{name}(\"{example}\")]`"),
                ));
                given = Given::Wrong;
                continue;
            }
        };
        if !is_word(&text.value()) {
            let message = format!(
                "`{}` contains characters other than `a-z 0-9 _ . : -`: write for example `#[{name}(\"{example}\")]`",
                text.value()
            );
            errors.at(&text, message);
            given = Given::Wrong;
        } else {
            given = Given::Named(text);
        }
    }
    given
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn the_name_is_given_or_derived() {
        let code = rust(expand(
            parse_quote! { enum Role { SuperAdmin, #[role("staff")] Agent } },
        ));
        assert!(
            code.contains("\"super_admin\"") && code.contains("\"staff\""),
            "{code}"
        );
    }

    #[test]
    fn only_a_plain_enum() {
        assert_eq!(
            messages(expand(parse_quote! { struct Admin; })),
            ["`role` is derived for an enum: write `enum Admin` with a variant for each role"]
        );
        assert_eq!(
            messages(expand(parse_quote! { enum Role {} })),
            ["`Role` has no variants: add one for each role"]
        );
        assert_eq!(
            messages(expand(parse_quote! { enum Role { A, #[role("a")] B } })),
            ["`a` is given twice: each variant needs a distinct name"]
        );
        assert_eq!(
            messages(expand(parse_quote! { enum Role { #[role("")] A } })),
            [
                "`` contains characters other than `a-z 0-9 _ . : -`: write for example `#[role(\"admin\")]`"
            ]
        );
    }
}
