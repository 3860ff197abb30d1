use syn::parse_quote;

use super::expand;
use crate::text::{messages, rust};

#[test]
fn every_shape_expands_to_rust() {
    let items: [syn::DeriveInput; 6] = [
        parse_quote! {
            #[output(etag = version, location = address, skip_none, computed(/** How old. */ age: u64 = Self::age))]
            struct A { a: Option<String>, #[output(skip)] version: u64, #[output(example = 1)] n: u8 }
        },
        parse_quote! { struct A<T> { items: Vec<T> } },
        parse_quote! { struct A(u8); },
        parse_quote! { #[output(display, pattern = "^a$")] struct A(B); },
        parse_quote! { enum A { One, Two } },
        parse_quote! { #[output(tag = "kind")] enum A { One, Two(B), Three { x: u8, #[output(skip)] y: u8 } } },
    ];
    for item in items {
        rust(expand(item));
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
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
            "`pattern` and `format` are for types that are written as text: add `display`",
            "`skip_none` is for fields of type `Option<..>`",
            "there is no `flatten`: write the fields out, or nest the struct",
            "two fields are called `a` on the wire: rename one",
        ]
    );
}
