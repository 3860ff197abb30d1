//! `#[derive(Settings)]`: a struct is a group of settings (`group`), and an enum without fields is
//! the value of one setting (`choice`).

mod choice;
mod group;
mod literal;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput};

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    if !item.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &item.generics,
            "settings cannot have generic parameters: use concrete types",
        ));
    }
    match &item.data {
        Data::Struct(data) => group::expand(&item.ident, &data.fields),
        Data::Enum(_) => choice::expand(&item),
        Data::Union(_) => Err(syn::Error::new_spanned(
            &item.ident,
            "settings are a struct, or an enum without fields",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn each_field_becomes_a_key() {
        let code = rust(expand(parse_quote! {
            struct Shop {
                /// What customers see.
                #[setting(default = "shop@example.com", env = "SENDER")]
                sender: String,
                #[setting(default = -5, min = -10, max = 1.5)]
                r#type: f64,
                #[setting(default = ["a", "b"])]
                tags: Vec<String>,
                #[setting(section)]
                mail: Mail,
                #[setting(flatten)]
                web: Web,
            }
        }));
        for part in [
            "doc : \"What customers see.\"",
            "Some (\"SENDER\")",
            "name : \"type\"",
            "Some (\"-5\")",
            "Some (\"1.5\")",
            "Some (\"a,b\")",
            "reader . section :: < Mail > (\"mail\")",
            "< Web as :: doyen :: __private :: settings :: Settings > :: read (reader)",
        ] {
            assert!(code.contains(part), "{part} is missing in {code}");
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let wrong = messages(expand(parse_quote! {
            struct Wrong {
                #[setting(defualt = 1)]
                a: u8,
                #[setting(section, flatten)]
                b: B,
                #[setting(section, default = 1)]
                c: B,
                #[setting(env = "database url")]
                d: u8,
                #[setting(default = LIMIT)]
                e: u8,
                #[setting(default)]
                f: u8,
                g__h: u8,
                #[setting(default = ["a,b"])]
                i: Vec<String>,
                #[setting(default = 1, default = 2)]
                j: u8,
            }
        }));
        assert_eq!(
            wrong,
            [
                "unknown argument `defualt`: did you mean `default`?",
                "a field is either `section` or `flatten`: keep one",
                "a nested struct cannot have `default`: write it on the fields of `B`",
                "`database url` is not a valid variable name: use capital letters, digits and `_`, as in `DATABASE_URL`",
                "write a literal, which the table of settings shows: a number, `true`, a string or a list of strings",
                "`default` needs a value: write `default = ...`",
                "`g__h` contains `__`, which separates the levels of a variable name: use one `_`",
                "an item with a comma cannot be a default: set it in a file",
                "`default` is given twice: keep one",
            ]
        );
    }

    #[test]
    fn only_structs_with_names_and_plain_enums() {
        assert_eq!(
            messages(expand(parse_quote! { struct Wrong(u8); })),
            ["settings are named like their fields: write `struct Wrong { name: T }`"]
        );
        assert_eq!(
            messages(expand(parse_quote! { struct Wrong<T> { a: T } })),
            ["settings cannot have generic parameters: use concrete types"]
        );
        assert_eq!(
            messages(expand(parse_quote! { union Wrong { a: u8 } })),
            ["settings are a struct, or an enum without fields"]
        );
    }

    #[test]
    fn an_enum_is_one_of_its_names() {
        let code = rust(expand(
            parse_quote! { enum Migrate { Auto, CheckOnly, #[setting("off")] Never } },
        ));
        assert!(
            code.contains("[\"auto\" , \"check_only\" , \"off\"]"),
            "{code}"
        );
        assert_eq!(
            messages(expand(parse_quote! { enum Wrong { A(u8) } })),
            ["`A` has fields, which a setting cannot have: remove them"]
        );
    }
}
