use syn::parse_quote;

use super::expand;
use crate::text::{messages, rust};

#[test]
fn every_shape_expands_to_rust() {
    let items: [syn::DeriveInput; 9] = [
        parse_quote! { struct A { #[validate(length(min = 1), pattern = "^a$")] a: String, #[input(default = 3)] b: u32 } },
        parse_quote! { #[validate(custom = check, async = ask)] struct A { a: Option<B>, #[input(with = m)] c: C } },
        parse_quote! { struct A<T> { items: Vec<T>, #[validate(each(each(range(min = -1.5))))] n: Vec<Vec<f64>> } },
        parse_quote! { struct A(#[validate(range(min = 1))] u8); },
        parse_quote! { #[input(from_str, pattern = "^a$", format = "a")] struct A(B); },
        parse_quote! { enum A { One, Two } },
        parse_quote! { #[input(into = b::C<D>, set(x = a.b.len(), y = 1))] struct A { b: Vec<Option<String>>, #[input(skip_into)] c: u8 } },
        parse_quote! { #[input(into = B<C>, tag = "kind")] enum A { One, Two(B), Three { x: Patch<u8> } } },
        parse_quote! { #[input(tag = "kind")] enum A { One, Two(B), Three { #[validate(async = ask)] x: u8 } } },
    ];
    for item in items {
        rust(expand(item));
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = messages(expand(parse_quote! {
        struct A {
            #[validate(lenght(min = 1))]
            a: String,
            #[validate(length(min = 3, max = 1))]
            b: String,
            #[validate(pattern = "(?i)x")]
            c: String,
            #[input(defualt)]
            d: u8,
            #[input(rename = "a")]
            e: u8,
            #[validate(multiple_of = 0)]
            f: u8,
            #[validate(email = true)]
            g: String,
        }
    }));
    assert_eq!(
        found,
        [
            "unknown argument `lenght`: did you mean `length`?",
            "no value is valid: `min` is greater than `max`",
            "flags such as `(?i)` are not ECMA-262: write the letters out, as in `[Aa]`",
            "unknown argument `defualt`: did you mean `default`?",
            "write a whole number above zero, such as `multiple_of = 5`",
            "write `email`",
            "two fields have the name `a` in JSON: rename one",
        ]
    );
}

#[test]
fn each_unsupported_shape_says_what_to_write() {
    let cases: [(syn::DeriveInput, &str); 15] = [
        (
            parse_quote! { struct A<'a> { a: &'a str } },
            "write `String` instead of `&str`",
        ),
        (parse_quote! { struct A(u8, u8); }, "name the fields"),
        (parse_quote! { struct A; }, "write `{}`"),
        (parse_quote! { enum A {} }, "add a variant"),
        (
            parse_quote! { enum A { B(u8) } },
            "add `#[input(tag = \"kind\")]`",
        ),
        (
            parse_quote! { enum A { One, #[input(rename = "one")] Two } },
            "two variants have the name `one`",
        ),
        (
            parse_quote! { #[input(tag = "kind")] enum A { B { kind: u8 } } },
            "`kind` is the tag",
        ),
        (
            parse_quote! { #[validate(length(min = 1))] struct A { a: u8 } },
            "put it on the field",
        ),
        (
            parse_quote! { #[input(name = "a b")] struct A { a: u8 } },
            "letters, digits",
        ),
        (
            parse_quote! { struct A(#[input(rename = "b")] u8); },
            "`rename` is for named fields",
        ),
        (
            parse_quote! { #[input(into = B)] struct A(u8); },
            "`into` is for structs with named fields and for enums",
        ),
        (
            parse_quote! { #[input(set(b = 1))] struct A { a: u8 } },
            "add `into = Type`",
        ),
        (
            parse_quote! { #[input(into = B, set(b = 1))] enum A { One } },
            "`set` is for structs",
        ),
        (
            parse_quote! { struct A { #[input(skip_into)] a: u8 } },
            "add `#[input(into = Type)]` to the struct",
        ),
        (
            parse_quote! { #[input(into = B, tag = "kind")] enum A { One { #[input(skip_into)] a: u8 } } },
            "`skip_into` is for fields of structs",
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
