//! `rename_all`: the case of names in JSON, and the one that `Cargo.toml` sets for a whole crate.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitStr};

use crate::text::{Errors, either, pascal, snake};

/// The case of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Snake,
    Camel,
    Pascal,
    Kebab,
    Screaming,
    Lower,
    Upper,
}

const CASES: [(&str, Case); 7] = [
    ("snake_case", Case::Snake),
    ("camelCase", Case::Camel),
    ("PascalCase", Case::Pascal),
    ("kebab-case", Case::Kebab),
    ("SCREAMING_SNAKE_CASE", Case::Screaming),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
];

impl Case {
    /// Returns the case with this name.
    pub(crate) fn read(text: &LitStr) -> syn::Result<Self> {
        Self::named(&text.value()).map_err(|message| syn::Error::new(text.span(), message))
    }

    fn named(word: &str) -> Result<Self, String> {
        let found = CASES.iter().find(|(name, _)| *name == word);
        found.map(|(_, case)| *case).ok_or_else(|| {
            let names = CASES.map(|(name, _)| name);
            format!("unknown case `{word}`: write {}", either(&names))
        })
    }

    /// Returns the case of the fields of this crate: that of `field_names` in `Cargo.toml`, or
    /// snake case.
    pub(crate) fn of_crate(at: &Ident, errors: &mut Errors) -> Self {
        match Self::of_manifest(&manifest()) {
            Ok(case) => case.unwrap_or(Case::Snake),
            Err(message) => {
                errors.at(at, format!("`field_names` in `Cargo.toml`: {message}"));
                Case::Snake
            }
        }
    }

    /// Reads `field_names = "camelCase"` in the table `[package.metadata.doyen]`.
    fn of_manifest(text: &str) -> Result<Option<Self>, String> {
        let lines = text.lines().map(str::trim);
        let table = lines
            .skip_while(|line| *line != "[package.metadata.doyen]")
            .skip(1)
            .take_while(|line| !line.starts_with('['));
        let mut values = table.filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == "field_names").then_some(value)
        });
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let word = value.split('#').next().unwrap_or("").trim();
        Self::named(word.trim_matches(['"', '\''])).map(Some)
    }

    /// Converts a Rust name, in snake case or Pascal case, to this case.
    pub(crate) fn apply(self, name: &str) -> String {
        let words = snake(name);
        match self {
            Case::Snake => words,
            Case::Kebab => words.replace('_', "-"),
            Case::Screaming => words.to_uppercase(),
            Case::Lower => words.replace('_', ""),
            Case::Upper => words.replace('_', "").to_uppercase(),
            Case::Pascal => pascal(&words),
            Case::Camel => {
                let name = pascal(&words);
                let mut letters = name.chars();
                letters
                    .next()
                    .map(|first| first.to_lowercase().chain(letters).collect())
                    .unwrap_or_default()
            }
        }
    }
}

/// The manifest of the crate that is compiled.
fn manifest_path() -> Option<PathBuf> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")?;
    Some(PathBuf::from(folder).join("Cargo.toml"))
}

fn manifest() -> String {
    let text = manifest_path().and_then(|path| std::fs::read_to_string(path).ok());
    text.unwrap_or_default()
}

/// Lets cargo compile the crate again when its manifest changes, if that sets the case.
pub(crate) fn tracked() -> TokenStream {
    let is_set = !matches!(Case::of_manifest(&manifest()), Ok(None));
    let path = manifest_path().filter(|_| is_set);
    let path = path.as_deref().and_then(|path| path.to_str());
    path.map_or_else(TokenStream::new, |path| {
        quote!(
            const _: &[u8] = ::core::include_bytes!(#path);
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case() {
        let written = |name| CASES.map(|(_, case)| case.apply(name));
        let expected = [
            "in_progress",
            "inProgress",
            "InProgress",
            "in-progress",
            "IN_PROGRESS",
            "inprogress",
            "INPROGRESS",
        ];
        assert_eq!(written("InProgress"), expected);
        assert_eq!(written("in_progress"), expected);
    }

    #[test]
    fn a_wrong_case_names_them_all() {
        let error = Case::read(&syn::parse_quote!("snakecase"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("unknown case `snakecase`: write `snake_case`, `camelCase`"),
            "{error}"
        );
    }

    #[test]
    fn a_manifest_sets_the_case_of_a_crate() {
        let of = |text: &str| Case::of_manifest(text);
        assert_eq!(of("[package]\nname = \"shop\"\n"), Ok(None));
        let set = "[package.metadata.doyen] \n# Names.\nfield_names = 'camelCase' # all\n";
        assert_eq!(of(set), Ok(Some(Case::Camel)));
        let other = "[package.metadata.doyen]\nrank = 1\n[package.metadata.x]\nfield_names = 'a'";
        assert_eq!(of(other), Ok(None));
        let wrong = of("[package.metadata.doyen]\nfield_names = \"camel\"");
        assert!(wrong.is_err_and(|why| why.starts_with("unknown case `camel`: write")));
    }
}
