//! `#[derive(Problem)]`: the problem details that clients receive for an error.
//!
//! `model` reads and checks the variants, `detail` reads the format string of a variant, and `emit`
//! generates the impls: `Problem`, `Display`, `Error`, and a `From` for each inner problem.

mod detail;
mod emit;
mod model;

use proc_macro2::TokenStream;
use syn::DeriveInput;

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    model::read(&item).map(|model| emit::emit(&model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn a_variant_becomes_a_row_with_code_title_and_description() {
        let code = rust(expand(parse_quote! {
            enum FindOrder {
                /// There is no such order.
                #[problem(not_found, code = "order_not_found")]
                Missing,
                #[problem(unexpected)]
                Unexpected(Unexpected),
            }
        }));
        for part in [
            "\"order_not_found\"",
            "Kind :: NotFound",
            "\"Order Not Found\"",
            "\"There is no such order.\"",
            "From < Unexpected > for FindOrder",
        ] {
            assert!(code.contains(part), "{part} is missing in {code}");
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let wrong = messages(expand(parse_quote! {
            enum Wrong {
                #[problem(not_found)]
                Undocumented,
                /// No kind.
                Kindless,
                /// A wrong kind.
                #[problem(not_fund)]
                Misspelt,
                /// A wrong code.
                #[problem(gone, code = "Gone-For-Good")]
                BadCode,
                /// Two kinds.
                #[problem(gone, conflict)]
                Both,
                /// A field that is not there.
                #[problem(conflict, detail = "{count} left")]
                Short { left: u32 },
                #[problem(unexpected)]
                Empty,
                /// The same code again.
                #[problem(gone, code = "both")]
                Again,
            }
        }));
        assert_eq!(
            wrong,
            [
                "`Undocumented` needs a doc comment, which clients read as the description: write `/// What went wrong and what to do.` above it",
                "`Kindless` needs a kind: add for example `#[problem(not_found)]`, or `#[problem(unexpected)]` if it contains an `Unexpected`",
                "unknown argument `not_fund`: did you mean `not_found`?",
                "a code consists of lower-case names joined by `_`: write `code = \"order_not_found\"`",
                "a problem has one kind: keep `gone` or `conflict`",
                "`Short` has no field `count`: write `left`",
                "`Empty` contains no problem: write `Empty(Unexpected)`",
                "the code `both` is given twice: clients distinguish problems by their code",
            ]
        );
    }

    #[test]
    fn only_enums_and_structs_without_parameters() {
        assert_eq!(
            messages(expand(parse_quote! { enum Wrong<T> { A(T) } })),
            [
                "a problem cannot have generic parameters, because it is one entry in the catalogue: use a concrete type"
            ]
        );
        assert_eq!(
            messages(expand(parse_quote! { union Wrong { a: u8 } })),
            ["a problem is an enum, or a struct for a single problem"]
        );
        assert_eq!(
            messages(expand(parse_quote! { enum Wrong {} })),
            ["`Wrong` cannot occur: add a variant"]
        );
    }

    #[test]
    fn one_problem_may_be_a_struct() {
        let code = rust(expand(parse_quote! {
            /// The shop is closed.
            #[problem(unavailable, detail = "Closed until {0}.")]
            struct Closed(String, #[problem(retry_after)] u32);
        }));
        assert!(code.contains("\"closed\""), "{code}");
    }

    #[test]
    fn a_status_beyond_the_kinds_and_fields_that_are_sent() {
        let code = rust(expand(parse_quote! {
            /// The pot is empty.
            #[problem(status = 418)]
            struct Teapot {
                /// When to come back.
                #[problem(header = "X-Brewed-At")]
                at: Option<String>,
                #[problem(member)]
                cups: u32,
            }
        }));
        for part in [
            "ErrorStatus :: new (418u16)",
            "\"X-Brewed-At\"",
            "\"cups\"",
            "\"When to come back.\"",
        ] {
            assert!(code.contains(part), "{part} is missing in {code}");
        }
        let wrong = messages(expand(parse_quote! {
            enum Wrong {
                /// A kind has it.
                #[problem(status = 404)]
                Known,
                /// No error.
                #[problem(status = 200)]
                Fine,
                /// Two.
                #[problem(status = 418, gone)]
                Both,
                /// Unnamed.
                #[problem(status = 418, code = "b")]
                Unnamed(#[problem(member)] u32),
                /// Taken.
                #[problem(status = 418, code = "c")]
                Taken { #[problem(member)] status: u32, #[problem(header = "a b")] header: u32 },
            }
        }));
        assert_eq!(
            wrong,
            [
                "404 is the status of a kind: write `#[problem(not_found)]`",
                "the status of an error is a number from 400 to 599",
                "a problem has one status, and `status` gives another one than `gone`: remove one",
                "a field without a name needs one: write `member = \"name\"`",
                "every problem has a member `status`: write `member = \"..\"` with another name",
                "the name of a header has letters, digits and `-`: write `header = \"Retry-After\"`",
            ]
        );
    }

    #[test]
    fn a_problem_contained_twice_is_ambiguous() {
        let wrong = messages(expand(parse_quote! {
            enum Wrong { #[problem(unexpected)] A(Unexpected), #[problem(transparent)] B(Unexpected) }
        }));
        assert_eq!(
            wrong,
            ["two variants contain `Unexpected`, so `?` would be ambiguous: keep one"]
        );
    }
}
