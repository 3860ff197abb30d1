//! Expands a `use` tree into one import per name.

use proc_macro2::{Delimiter, Ident, Spacing, TokenTree};

/// An imported name, or all names of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// The path with its first segment as written, such as `super` or a name in scope.
    pub(crate) path: Path,
    /// The name in scope. `None` for a glob and for `as _`.
    pub(crate) name: Option<String>,
    /// True for `path::*`.
    pub(crate) glob: bool,
}

/// A path in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// True if the path starts with `::`, so that its first segment is a crate.
    pub(crate) global: bool,
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// Parses the tokens after `use`. Returns the imports and the number of tokens that it has read.
pub(crate) fn parse(tokens: &[TokenTree]) -> (Vec<Import>, usize) {
    let line = tokens.first().map_or(0, |token| token.span().start().line);
    let prefix = Path {
        global: false,
        segments: Vec::new(),
        line,
    };
    let mut imports = Vec::new();
    let read = expand(tokens, prefix, &mut imports);
    (imports, read)
}

fn expand(tokens: &[TokenTree], mut path: Path, imports: &mut Vec<Import>) -> usize {
    path.global |= path.segments.is_empty() && starts_with_colons(tokens);
    // True at the start and after `::`.
    let mut expects_segment = true;
    let mut at = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Punct(_)) if starts_with_colons(&tokens[at..]) => {
                expects_segment = true;
                at += 2;
                continue;
            }
            Some(TokenTree::Ident(word)) if expects_segment => {
                path.line = word.span().start().line;
                // `a::self` is `a`.
                if word != "self" || path.segments.is_empty() {
                    path.segments.push(name(word));
                }
                expects_segment = false;
                at += 1;
                continue;
            }
            Some(TokenTree::Punct(star)) if expects_segment && star.as_char() == '*' => {
                imports.push(Import {
                    path,
                    name: None,
                    glob: true,
                });
                return at + 1;
            }
            Some(TokenTree::Group(list))
                if expects_segment && list.delimiter() == Delimiter::Brace =>
            {
                let list: Vec<TokenTree> = list.stream().into_iter().collect();
                for part in list.split(is_comma).filter(|part| !part.is_empty()) {
                    expand(part, path.clone(), imports);
                }
                return at + 1;
            }
            Some(TokenTree::Ident(word)) if word == "as" => {
                let alias = match tokens.get(at + 1) {
                    Some(TokenTree::Ident(alias)) if alias != "_" => Some(name(alias)),
                    _ => None,
                };
                imports.push(Import {
                    path,
                    name: alias,
                    glob: false,
                });
                return at + 2;
            }
            // The end of the declaration or of the list element.
            _ => {
                if let Some(last) = path.segments.last().cloned() {
                    imports.push(Import {
                        path,
                        name: Some(last),
                        glob: false,
                    });
                }
                return at;
            }
        }
    }
}

pub(crate) fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// The name of an identifier without `r#`.
pub(crate) fn name(word: &Ident) -> String {
    let text = word.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// Returns true if the tokens start with `::`.
pub(crate) fn starts_with_colons(tokens: &[TokenTree]) -> bool {
    match tokens {
        [TokenTree::Punct(first), TokenTree::Punct(second), ..] => {
            first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':'
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(declaration: &str) -> Vec<String> {
        let tokens: proc_macro2::TokenStream = declaration.parse().unwrap();
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let show = |import: &Import| {
            let global = if import.path.global { "::" } else { "" };
            let path = import.path.segments.join("::");
            let name = import
                .name
                .as_deref()
                .unwrap_or(if import.glob { "*" } else { "_" });
            format!("{global}{path} as {name}")
        };
        parse(&tokens).0.iter().map(show).collect()
    }

    #[test]
    fn a_tree_is_expanded() {
        assert_eq!(
            imports("a::{self, b::{c, d as e}, f::*, r#type::G,};"),
            [
                "a as a",
                "a::b::c as c",
                "a::b::d as e",
                "a::f as *",
                "a::type::G as G"
            ]
        );
    }

    #[test]
    fn aliases_globs_and_crates() {
        assert_eq!(imports("a::B as _;"), ["a::B as _"]);
        assert_eq!(imports("super::super::x;"), ["super::super::x as x"]);
        assert_eq!(imports("::sqlx as db;"), ["::sqlx as db"]);
        assert_eq!(imports("{::a, b};"), ["::a as a", "b as b"]);
        assert_eq!(imports("self::a::self as b;"), ["self::a as b"]);
        assert_eq!(imports("crate as root;"), ["crate as root"]);
    }

    #[test]
    fn a_line_belongs_to_its_name() {
        let tokens: proc_macro2::TokenStream = "a::{\n  b,\n  c::d,\n};".parse().unwrap();
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let lines: Vec<usize> = parse(&tokens)
            .0
            .iter()
            .map(|import| import.path.line)
            .collect();
        assert_eq!(lines, [2, 3]);
    }
}
