//! Shared by all macros: error collection, doc comments, attribute arguments, and the case of
//! names.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Lit, LitStr, Meta, Token, Type};

/// All errors of an expansion, reported together.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Creates an empty collection.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds an error at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Returns the value, or collects the error.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Returns the value if there are no errors.
    pub(crate) fn finish<T>(self, value: T) -> syn::Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}

/// An argument of an attribute: `not_found`, or `code = "order_not_found"`.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self { name, value })
    }
}

impl Argument {
    /// Returns the name as a string.
    pub(crate) fn name(&self) -> String {
        self.name.unraw().to_string()
    }

    /// Returns the string after `=`.
    pub(crate) fn text(&self) -> syn::Result<LitStr> {
        if let Some(Expr::Lit(expr)) = self.value.as_ref().map(ungrouped)
            && let Lit::Str(text) = &expr.lit
        {
            return Ok(text.clone());
        }
        let message = format!("`{0}` takes a string: write `{0} = \"...\"`", self.name());
        match &self.value {
            Some(other) => Err(syn::Error::new_spanned(other, message)),
            None => Err(syn::Error::new_spanned(&self.name, message)),
        }
    }

    /// Rejects a value.
    pub(crate) fn plain(&self) -> syn::Result<()> {
        match &self.value {
            Some(value) => Err(syn::Error::new_spanned(
                value,
                format!("`{}` takes no value: remove it", self.name),
            )),
            None => Ok(()),
        }
    }
}

/// Returns an expression without the invisible groups around what `macro_rules!` passes on.
pub(crate) fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

/// Returns a type without the invisible groups around what `macro_rules!` passes on.
pub(crate) fn ungrouped_type(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}

/// Returns the arguments of every `#[name(..)]` attribute.
pub(crate) fn arguments(
    attributes: &[Attribute],
    name: &str,
    errors: &mut Errors,
) -> Vec<Argument> {
    let mut all = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        let list = attribute.parse_args_with(Punctuated::<Argument, Token![,]>::parse_terminated);
        all.extend(errors.keep(list).into_iter().flatten());
    }
    all
}

/// Parses the arguments of an attribute macro.
pub(crate) fn parse_arguments(tokens: TokenStream) -> syn::Result<Vec<Argument>> {
    let list =
        syn::parse::Parser::parse2(Punctuated::<Argument, Token![,]>::parse_terminated, tokens)?;
    Ok(list.into_iter().collect())
}

/// Returns the `#[cfg(..)]` attributes of an item, which generated items next to it repeat.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect()
}

/// Generates the attribute that leaves a type of Doyen out of the compiler's list of types with a
/// trait, since the list is about a type of the application. Not in other crates, where the
/// attribute would have no path under `#![no_implicit_prelude]`.
pub(crate) fn unlisted() -> Option<TokenStream> {
    let is_own = std::env::var("CARGO_CRATE_NAME").is_ok_and(|name| name.starts_with("doyen_"));
    is_own.then(|| quote::quote!(#[diagnostic::do_not_recommend]))
}

/// Returns the text of the doc comments. Lines of a paragraph are joined; lists, tables and code
/// keep their lines.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let mut out = String::new();
    let mut code = false;
    let mut fresh = true;
    for line in doc_lines(attributes) {
        let trimmed = line.trim();
        let fence = trimmed.starts_with("```");
        if trimmed.is_empty() && !code {
            if !fresh {
                out.push_str("\n\n");
            }
            fresh = true;
            continue;
        }
        if !fresh {
            out.push(if code || fence || own_line(trimmed) {
                '\n'
            } else {
                ' '
            });
        }
        out.push_str(if code { line.trim_end() } else { trimmed });
        code ^= fence;
        fresh = false;
    }
    out.trim_end().to_owned()
}

fn doc_lines(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
    {
        if let Meta::NameValue(meta) = &attribute.meta
            && let Expr::Lit(expr) = &meta.value
            && let Lit::Str(text) = &expr.lit
        {
            let text = text.value();
            lines.extend(
                text.split('\n')
                    .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()),
            );
        }
    }
    lines
}

/// Returns true for a line that does not continue a paragraph: an item of a list, a row of a table.
fn own_line(line: &str) -> bool {
    line.starts_with("- ")
        || line.starts_with("* ")
        || line.starts_with('|')
        || line.starts_with('#')
}

/// Converts `OrderNotFound` to `order_not_found`.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let starts = c.is_uppercase()
            && before.is_some_and(|before| {
                before != '_'
                    && (!before.is_uppercase()
                        || chars.get(i + 1).is_some_and(|next| next.is_lowercase()))
            });
        if starts {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Converts `order_not_found` to `Order Not Found`.
pub(crate) fn title(snake: &str) -> String {
    capitals(snake, " ")
}

/// Converts `not_found` to `NotFound`.
pub(crate) fn pascal(snake: &str) -> String {
    capitals(snake, "")
}

fn capitals(snake: &str, between: &str) -> String {
    let arguments = snake
        .split('_')
        .filter(|argument| !argument.is_empty())
        .map(|argument| {
            let mut chars = argument.chars();
            chars.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(chars).collect()
            })
        });
    arguments.collect::<Vec<String>>().join(between)
}

/// Returns true for names such as `order_not_found`: lower-case letters and digits joined by single
/// `_`.
pub(crate) fn is_snake(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('_').all(|argument| {
            !argument.is_empty()
                && argument
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// Returns "`a`, `b` or `c`".
pub(crate) fn either<S: AsRef<str>>(arguments: &[S]) -> String {
    let quoted: Vec<String> = arguments
        .iter()
        .map(|argument| format!("`{}`", argument.as_ref()))
        .collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// What to write instead of the words of FastAPI and Pydantic.
const FOREIGN: &[(&str, &str)] = &[
    ("ge", "`range(min = ..)`"),
    ("le", "`range(max = ..)`"),
    ("gt", "`range(exclusive_min = ..)`"),
    ("lt", "`range(exclusive_max = ..)`"),
    ("min_length", "`length(min = ..)`"),
    ("max_length", "`length(max = ..)`"),
    ("min_items", "`items(min = ..)`"),
    ("max_items", "`items(max = ..)`"),
    ("regex", "`pattern = \"^..$\"`"),
    ("alias", "`rename = \"..\"`"),
    ("validation_alias", "`rename = \"..\"`"),
    ("examples", "`example = ..`, once for each"),
    ("include_in_schema", "`hidden`"),
    ("title", "a doc comment"),
    ("description", "a doc comment"),
    (
        "embed",
        "`#[body]` on the parameter, which is a member of the body even if it is the only one",
    ),
    (
        "convert_underscores",
        "`rename = \"..\"` with the exact name",
    ),
];

/// Returns the message for an unknown argument, with the nearest known one, or all of them.
pub(crate) fn unknown<S: AsRef<str>>(argument: &str, known: &[S]) -> String {
    if let Some((_, ours)) = FOREIGN.iter().find(|(theirs, _)| *theirs == argument) {
        return format!("unknown argument `{argument}`: write {ours}");
    }
    match nearest(argument, known) {
        Some(near) => format!("unknown argument `{argument}`: did you mean `{near}`?"),
        None => format!("unknown argument `{argument}`: write {}", either(known)),
    }
}

fn nearest<'k, S: AsRef<str>>(argument: &str, known: &'k [S]) -> Option<&'k str> {
    let allowed = (argument.chars().count() / 3).max(1);
    let near = known
        .iter()
        .map(|known| (distance(argument, known.as_ref()), known.as_ref()))
        .min_by_key(|(far, _)| *far);
    near.filter(|(far, _)| *far <= allowed)
        .map(|(_, known)| known)
}

/// Returns the Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let swapped = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = swapped.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Returns every message of a failed expansion, for tests.
#[cfg(test)]
pub(crate) fn messages<T>(result: syn::Result<T>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
    }
}

/// Returns the expansion, parsed as a file to check that it is Rust.
#[cfg(test)]
pub(crate) fn rust(tokens: syn::Result<TokenStream>) -> String {
    let tokens = tokens.expect("the expansion succeeds");
    syn::parse2::<syn::File>(tokens.clone()).expect("the expansion is Rust");
    tokens.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_case_and_back() {
        assert_eq!(snake("OrderNotFound"), "order_not_found");
        assert_eq!(snake("HTTPServer"), "http_server");
        assert_eq!(snake("OrderV2"), "order_v2");
        assert_eq!(title("order_not_found"), "Order Not Found");
        assert_eq!(pascal("uri_too_long"), "UriTooLong");
        assert!(
            is_snake("a_b2")
                && !is_snake("a__b")
                && !is_snake("A")
                && !is_snake("a_")
                && !is_snake("")
        );
    }

    #[test]
    fn doc_comments_become_paragraphs() {
        let item: syn::ItemStruct = syn::parse_quote! {
            /// One line
            /// and the next.
            ///
            /// - first
            /// - second
            struct A;
        };
        assert_eq!(
            docs(&item.attrs),
            "One line and the next.\n\n- first\n- second"
        );
    }

    #[test]
    fn an_unknown_argument_is_reported_with_the_nearest_or_all() {
        assert_eq!(
            unknown("not_fund", &["not_found", "gone"]),
            "unknown argument `not_fund`: did you mean `not_found`?"
        );
        assert_eq!(
            unknown("zebra", &["a", "b", "c"]),
            "unknown argument `zebra`: write `a`, `b` or `c`"
        );
    }
}
