//! The attributes that matter for the check: `#[cfg(test)]` and `#[path = ".."]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::use_tree::is_comma;

/// Returns true if the content of an attribute enables its item for tests only: `cfg(test)`, or
/// `cfg(all(..))` with `test`.
pub(crate) fn is_test_only(attribute: &TokenStream) -> bool {
    let mut tokens = attribute.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(name)), Some(TokenTree::Group(condition))) if name == "cfg" => {
            requires_test(condition.stream())
        }
        _ => false,
    }
}

fn requires_test(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(all)] if name == "all" => {
            let parts: Vec<TokenTree> = all.stream().into_iter().collect();
            let mut parts = parts.split(is_comma);
            parts.any(|part| requires_test(part.iter().cloned().collect()))
        }
        _ => false,
    }
}

/// Returns the value of `path = ".."`, also inside `cfg_attr`.
pub(crate) fn path_value(attribute: &TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.clone().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                if let Some(found) =
                    path_value(&group.stream()).filter(|_| is(&tokens[0], "cfg_attr"))
                {
                    return Some(found);
                }
            }
            TokenTree::Ident(name) if name == "path" => {
                if let Some(TokenTree::Literal(value)) = tokens.get(at + 2) {
                    return string_value(&value.to_string()).map(str::to_owned);
                }
            }
            _ => {}
        }
    }
    None
}

fn is(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(name) if name == word)
}

/// Returns the content of a string literal without escapes.
pub(crate) fn string_value(literal: &str) -> Option<&str> {
    let raw = literal.strip_prefix('r').map(|rest| rest.trim_matches('#'));
    raw.unwrap_or(literal).strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_conditions_that_need_test_are_for_tests() {
        let test_only = |text: &str| is_test_only(&text.parse().unwrap());
        assert!(test_only("cfg(test)"));
        assert!(test_only("cfg(all(unix, test))"));
        assert!(test_only("cfg(all(unix, all(test, feature = \"a\")))"));
        for shipped in [
            "cfg(not(test))",
            "cfg(any(test, feature = \"a\"))",
            "cfg(all(unix, not(test)))",
            "cfg_attr(test, derive(Debug))",
            "test",
            "doc = \"cfg(test)\"",
        ] {
            assert!(!test_only(shipped), "{shipped}");
        }
    }

    #[test]
    fn the_value_of_path() {
        let path = |text: &str| path_value(&text.parse().unwrap());
        assert_eq!(path("path = \"../a.rs\"").as_deref(), Some("../a.rs"));
        assert_eq!(path("path = r#\"a.rs\"#").as_deref(), Some("a.rs"));
        assert_eq!(
            path("cfg_attr(unix, path = \"a.rs\")").as_deref(),
            Some("a.rs")
        );
        assert_eq!(path("serde(path = \"a.rs\")"), None);
        assert_eq!(path("doc = \"path = 'x'\""), None);
    }
}
