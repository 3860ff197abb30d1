//! Recognizes attributes, visibilities, paths and items in a sequence of tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::use_tree::starts_with_colons;

/// The number of tokens of `a::b`, of `a::{b, c}` or of `a::*`. The last two occur in macro calls.
pub(crate) fn path_length(tokens: &[TokenTree]) -> usize {
    let mut length = 0;
    loop {
        let is_start = length == 0;
        if starts_with_colons(&tokens[length..]) {
            length += 2;
        } else if !is_start {
            return length;
        }
        match tokens.get(length) {
            Some(TokenTree::Ident(_)) => length += 1,
            Some(TokenTree::Group(list)) if list.delimiter() == Delimiter::Brace => {
                return length + 1;
            }
            star if is_punct(star, '*') => return length + 1,
            _ => return length,
        }
    }
}

/// The content of the attribute at the start, whether it is an inner one, and its number of tokens.
pub(crate) fn attribute_at(tokens: &[TokenTree]) -> Option<(TokenStream, bool, usize)> {
    let inner = is_punct(tokens.get(1), '!');
    match (tokens.first(), tokens.get(1 + usize::from(inner))) {
        (hash, Some(TokenTree::Group(group)))
            if is_punct(hash, '#') && group.delimiter() == Delimiter::Bracket =>
        {
            Some((group.stream(), inner, 2 + usize::from(inner)))
        }
        _ => None,
    }
}

/// The number of tokens of `(crate)`, `(super)` or `(in path)` after `pub`.
pub(crate) fn visibility_length(rest: &[TokenTree]) -> usize {
    let Some(TokenTree::Group(group)) = rest.first() else {
        return 0;
    };
    let first = group.stream().into_iter().next();
    let scopes = ["crate", "self", "super", "in"];
    usize::from(scopes.iter().any(|scope| is_word(first.as_ref(), scope)))
}

/// The number of tokens of the item at the start. `None` for anything else, such as a field.
pub(crate) fn item_length(tokens: &[TokenTree]) -> Option<usize> {
    let mut at = 0;
    while let Some((_, _, length)) = attribute_at(&tokens[at..]) {
        at += length;
    }
    if is_word(tokens.get(at), "pub") {
        at += 1 + visibility_length(&tokens[at + 1..]);
    }
    let Some(TokenTree::Ident(word)) = tokens.get(at) else {
        return None;
    };
    let next = tokens.get(at + 1);
    let is_function = ["fn", "unsafe", "async", "extern"]
        .iter()
        .any(|word| is_word(next, word));
    let until_semicolon = match word.to_string().as_str() {
        "use" | "static" | "type" | "let" => true,
        "const" => !is_function,
        "extern" => is_word(next, "crate"),
        "fn" | "mod" | "struct" | "enum" | "union" | "impl" | "trait" | "unsafe" | "async"
        | "macro_rules" => false,
        _ => return None,
    };
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => !until_semicolon && group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';'),
    };
    Some(at + tokens[at..].iter().position(is_end)? + 1)
}

/// Returns true for a text such as `crate::x::y`.
pub(crate) fn is_path(text: &str) -> bool {
    let mut characters = text.chars();
    text.contains("::") && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
}

pub(crate) fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

pub(crate) fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}
