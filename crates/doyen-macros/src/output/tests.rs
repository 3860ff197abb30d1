use syn::parse_quote;

use super::expand;
use crate::text::{messages, rust};

#[test]
fn every_shape_expands_to_rust() {
    let items: [syn::DeriveInput; 8] = [
        parse_quote! {
            #[output(etag = version, location = address, skip_none, computed(/** How old. */ age: u64 = Self::age))]
            struct A { a: Option<String>, #[output(skip)] version: u64, #[output(example = 1)] n: u8 }
        },
        parse_quote! { struct A<T> { items: Vec<T> } },
        parse_quote! { struct A(u8); },
        parse_quote! { #[output(display, pattern = "^a$")] struct A(B); },
        parse_quote! { enum A { One, Two } },
        parse_quote! { #[output(from = (b::C<D>, &E, Match))] struct A<T> { t: T, a: Vec<u8>, #[output(skip, value = r#match.x + c.y)] b: u8 } },
        parse_quote! { #[output(from = B<C>, tag = "kind")] enum A { One, Two(B), Three { x: u8, #[output(skip)] y: Option<u8> } } },
        parse_quote! { #[output(tag = "kind")] enum A { One, Two(B), Three { x: u8, #[output(skip)] y: u8 } } },
    ];
    for item in items {
        rust(expand(item));
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = messages(expand(parse_quote! {
        #[output(pattern = "a")]
        struct A {
            #[output(skip_none)]
            a: String,
            #[output(flatten)]
            b: B,
            #[output(rename = "a")]
            c: u8,
        }
    }));
    assert_eq!(
        found,
        [
            "`pattern` and `format` are for types that are written as a string: add `display`",
            "`skip_none` is for fields of type `Option<..>`",
            "there is no `flatten`: write the fields out, or nest the struct",
            "two fields have the name `a` in JSON: rename one",
        ]
    );
}

#[test]
fn each_wrong_conversion_says_what_to_write() {
    let cases: [(syn::DeriveInput, &str); 7] = [
        (
            parse_quote! { #[output(from)] struct A { a: u8 } },
            "write `from = Order`",
        ),
        (
            parse_quote! { #[output(from = [B; 2])] struct A { a: u8 } },
            "or a tuple of named types",
        ),
        (
            parse_quote! { #[output(from = (B, Vec<u8>, Vec<u16>))] struct A { a: u8 } },
            "two values would have the name `vec`",
        ),
        (
            parse_quote! { #[output(from = B)] struct A(u8); },
            "`from` is for structs with named fields and for enums",
        ),
        (
            parse_quote! { #[output(from = (B, C))] enum A { One } },
            "the source of an enum is an enum",
        ),
        (
            parse_quote! { struct A { #[output(value = 1)] a: u8 } },
            "add `#[output(from = Type)]` to the struct",
        ),
        (
            parse_quote! { #[output(from = B, tag = "kind")] enum A { One { #[output(value = 1)] a: u8 } } },
            "`value` is for fields of structs",
        ),
    ];
    for (item, hint) in cases {
        let found = messages(expand(item));
        assert!(
            found.iter().any(|message| message.contains(hint)),
            "{hint}: {found:?}"
        );
    }
}
