//! `rename_all`: the case of names in JSON.

use syn::LitStr;

use crate::text::{either, pascal, snake};

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
        let word = text.value();
        CASES
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, case)| *case)
            .ok_or_else(|| {
                let names = CASES.map(|(name, _)| name);
                syn::Error::new(
                    text.span(),
                    format!("unknown case `{word}`: write {}", either(&names)),
                )
            })
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
}
