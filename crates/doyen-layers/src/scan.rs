//! Finds imports, paths and module declarations in the tokens of a module.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::attribute;
use crate::token::{
    attribute_at, is_path, is_punct, is_word, item_length, path_length, visibility_length,
};
use crate::use_tree::{self, Import, Path, starts_with_colons};

/// What a module imports and declares. Function bodies and macro calls belong to their module.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) imports: Vec<Import>,
    /// Paths outside of `use` declarations.
    pub(crate) paths: Vec<Path>,
    pub(crate) modules: Vec<Declaration>,
    /// Lines of `include!`.
    pub(crate) includes: Vec<usize>,
    /// Names that `extern crate` adds to all modules.
    pub(crate) extern_crates: Vec<Import>,
}

/// A declaration of a module.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Value of `#[path = ".."]`.
    pub(crate) path: Option<String>,
    /// The tokens between the braces, if the module is inline.
    pub(crate) body: Option<TokenStream>,
    /// True inside a macro call, where the declaration may be no Rust.
    pub(crate) in_macro: bool,
}

/// Keywords that can precede a path but are not a part of it.
const KEYWORDS: [&str; 32] = [
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "fn",
    "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref",
    "return", "static", "struct", "trait", "type", "unsafe", "use", "where", "while",
];

/// Scans the tokens of a module.
pub(crate) fn scan(tokens: TokenStream) -> Scan {
    let mut scan = Scan::default();
    scan.walk(tokens, false);
    scan
}

impl Scan {
    fn walk(&mut self, tokens: TokenStream, in_macro: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut test_only = false;
        let mut path = None;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Some((content, inner, length)) = attribute_at(&tokens[at..]) {
                test_only |= attribute::is_test_only(&content);
                if inner && test_only {
                    return;
                }
                path = path.or_else(|| attribute::path_value(&content));
                self.walk_attribute(content);
                at += length;
                continue;
            }
            if std::mem::take(&mut test_only)
                && let Some(length) = item_length(&tokens[at..])
            {
                path = None;
                at += length;
                continue;
            }
            let rest = &tokens[at + 1..];
            at += match token {
                TokenTree::Ident(word) if word == "use" && !is_punct(rest.first(), '<') => {
                    let (imports, read) = use_tree::parse(rest);
                    self.imports.extend(imports);
                    1 + read
                }
                TokenTree::Ident(word) if word == "extern" && is_word(rest.first(), "crate") => {
                    let (imports, read) = use_tree::parse(&rest[1..]);
                    self.extern_crates.extend(imports);
                    2 + read
                }
                TokenTree::Ident(word) if word == "mod" => {
                    self.declare(rest, path.take(), in_macro)
                }
                TokenTree::Ident(word) if word == "pub" => 1 + visibility_length(rest),
                TokenTree::Ident(word) if word == "include" && is_punct(rest.first(), '!') => {
                    self.includes.push(word.span().start().line);
                    1
                }
                TokenTree::Ident(word) if KEYWORDS.iter().any(|keyword| word == keyword) => 1,
                TokenTree::Ident(_) => self.path(&tokens, at),
                TokenTree::Punct(_) if starts_with_colons(&tokens[at..]) => self.path(&tokens, at),
                // A lifetime.
                TokenTree::Punct(quote) if quote.as_char() == '\'' => 2,
                TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
                TokenTree::Group(group) => {
                    let before = &tokens[at.saturating_sub(2)..at];
                    let is_macro = before.iter().any(|token| is_punct(Some(token), '!'));
                    self.walk(group.stream(), in_macro || is_macro);
                    1
                }
            };
            path = None;
        }
    }

    /// Also finds paths in strings, such as `#[serde(with = "crate::x")]`, but not in
    /// documentation.
    fn walk_attribute(&mut self, content: TokenStream) {
        if !is_word(content.clone().into_iter().next().as_ref(), "doc") {
            self.walk_strings(content.clone());
            self.walk(content, true);
        }
    }

    fn walk_strings(&mut self, content: TokenStream) {
        for token in content {
            match token {
                TokenTree::Group(group) => self.walk_strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let text = attribute::string_value(&text).unwrap_or_default();
                    if is_path(text)
                        && let Ok(tokens) = text.parse()
                    {
                        let first = self.paths.len();
                        self.walk(tokens, true);
                        let line = literal.span().start().line;
                        self.paths[first..]
                            .iter_mut()
                            .for_each(|path| path.line = line);
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads `name;` or `name { .. }` after `mod`.
    fn declare(&mut self, rest: &[TokenTree], path: Option<String>, in_macro: bool) -> usize {
        let Some(TokenTree::Ident(word)) = rest.first() else {
            return 1;
        };
        let body = match rest.get(1) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                Some(group.stream())
            }
            Some(TokenTree::Punct(end)) if end.as_char() == ';' => None,
            _ => return 1,
        };
        let line = word.span().start().line;
        self.modules.push(Declaration {
            name: use_tree::name(word),
            line,
            path,
            body,
            in_macro,
        });
        3
    }

    /// Reads a path of at least two segments, or with `::` at one end.
    fn path(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let previous = at.checked_sub(1).and_then(|before| tokens.get(before));
        let before = at.checked_sub(2).and_then(|before| tokens.get(before));
        let is_field = is_punct(previous, '.') && !is_punct(before, '.');
        let is_variable = is_punct(previous, '$') && !is_word(tokens.get(at), "crate");
        let leading = starts_with_colons(&tokens[at..]);
        // `<T as Trait>::Name` continues a type; `->` and `=>` precede a new path.
        let is_arrow = matches!(before, Some(TokenTree::Punct(p)) if p.spacing() == Spacing::Joint && "-=".contains(p.as_char()));
        let continues = leading && is_punct(previous, '>') && !is_arrow;
        let end = at + path_length(&tokens[at..]);
        let (imports, _) = use_tree::parse(&tokens[at..end]);
        let is_path = leading || end > at + 1;
        if is_path && !is_field && !is_variable {
            self.paths
                .extend(imports.into_iter().map(|import| import.path));
            if continues && let Some(path) = self.paths.last_mut() {
                path.global = false;
            }
        }
        end - at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let scan = scan(text.parse().unwrap());
        let show = |path: &Path| {
            format!(
                "{}{}",
                if path.global { "::" } else { "" },
                path.segments.join("::")
            )
        };
        let imports = scan
            .imports
            .iter()
            .map(|import| format!("use {}", show(&import.path)));
        scan.paths.iter().map(show).chain(imports).collect()
    }

    #[test]
    fn paths_in_types_expressions_and_macros() {
        assert_eq!(
            paths("fn a(x: b::C) -> ::d::E<f::G> { h::i!(j::k(1)) }"),
            ["b::C", "::d::E", "f::G", "h::i", "j::k"]
        );
        assert_eq!(paths("m! { a::{b, c::d} e::* }"), ["a::b", "a::c::d", "e"]);
        assert_eq!(
            paths("macro_rules! m { ($x:ty) => { $crate::a::B; $x::c::d; e::$x } }"),
            ["crate::a::B", "e"]
        );
        assert_eq!(
            paths("<T as a::B>::c::D; Vec::<e::F>::new()"),
            ["a::B", "c::D", "Vec", "e::F", "new"]
        );
        assert_eq!(paths("match x { _ => ::a::b(), }"), ["::a::b"]);
        assert_eq!(
            paths("fn f() where ::a::B: Copy {} let c = d as ::e::F;"),
            ["::a::B", "::e::F"]
        );
        assert_eq!(paths("x as a::B * c::D - e"), ["a::B", "c::D"]);
        assert_eq!(paths("x.collect::<Vec<_>>(); 0..a::B"), ["a::B"]);
        assert_eq!(
            paths("pub(in crate::a) fn f<'a>(x: &'a B) {}"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn text_is_not_code() {
        assert_eq!(
            paths("/// [`X`](a::b)\n// a::b\n/* a::b /* c::d */ */ const A: &str = \"a::b\";"),
            Vec::<String>::new()
        );
        assert_eq!(
            paths("const A: &str = r#\"use a::b;\"#; const B: char = ':';"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn attributes_have_paths() {
        assert_eq!(paths("#[derive(a::B)] #[c::d] struct E;"), ["a::B", "c::d"]);
        assert_eq!(paths("#[serde(with = \"a::b\")] struct E;"), ["a::b"]);
        assert_eq!(paths("#[pattern(\"^[a-z]::.*$\")] struct E;").len(), 0);
    }

    #[test]
    fn imports_are_found_everywhere() {
        assert_eq!(
            paths("fn f() { use a::b; } m!(use c::d => e::f;);"),
            ["e::f", "use a::b", "use c::d"]
        );
        assert_eq!(
            paths("fn f() -> impl Iterator + use<'_> {}"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn items_for_tests_are_skipped() {
        for item in [
            "use a::{b, c};",
            "mod m { use a::b; }",
            "mod m;",
            "pub(crate) fn f(x: a::B) -> c::D { e::f() }",
            "const fn f() { a::b() }",
            "const X: a::B = a::B { c };",
            "impl a::B for C { }",
            "struct A(b::C);",
            "#[allow(unused)] static X: a::B = 1;",
        ] {
            let text = format!("#[cfg(test)] {item} fn rest() {{ x::y() }}");
            assert_eq!(paths(&text), ["x::y"], "{item}");
            assert!(scan(text.parse().unwrap()).modules.is_empty(), "{item}");
        }
        assert_eq!(paths("#![cfg(test)] use a::b;"), Vec::<String>::new());
    }

    #[test]
    fn only_tests_are_skipped() {
        assert_eq!(paths("#[cfg(not(test))] use a::b;"), ["use a::b"]);
        assert_eq!(
            paths("struct A { #[cfg(test)] x: a::B, y: c::D }"),
            ["a::B", "c::D"]
        );
    }
}
