//! Lines that are added to files of the user, at a place that is found in the syntax tree.
//!
//! Each function returns the new text, the same text if the line is there already, and `None` if
//! there is no place for it.

use proc_macro2::Span;
use syn::spanned::Spanned as _;

/// Adds `pub mod orders;` to the modules of a file, in alphabetical order.
pub(crate) fn module(text: &str, visibility: &str, name: &str) -> Option<String> {
    let file = syn::parse_file(text).ok()?;
    let modules: Vec<&syn::ItemMod> = file
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Mod(module) if module.content.is_none() => Some(module),
            _ => None,
        })
        .collect();
    if modules.iter().any(|module| module.ident == name) {
        return Some(text.to_owned());
    }
    let line = format!("{visibility}mod {name};");
    // `private` modules may be in a group of their own: compare with those of the same visibility.
    let is_alike = |module: &&&syn::ItemMod| {
        matches!(module.vis, syn::Visibility::Inherited) == visibility.is_empty()
    };
    let alike: Vec<&syn::ItemMod> = modules.iter().filter(is_alike).copied().collect();
    match alike
        .iter()
        .find(|module| module.ident.to_string().as_str() > name)
    {
        Some(next) => Some(before(text, start_of(next), &line)),
        None => {
            let last = alike.last().or(modules.last());
            let Some(last) = last else {
                // The first module: in front of the first item.
                let first = first_line(file.items.first()?.span());
                return Some(before(text, first, &format!("{line}\n")));
            };
            Some(before(text, last.span().end().line + 1, &line))
        }
    }
}

/// Adds `.module(orders::module())` after the last call of that kind.
pub(crate) fn mounted(text: &str, call: &str) -> Option<String> {
    if text.contains(call) {
        return Some(text.to_owned());
    }
    let is_call = |line: &str| {
        let line = line.trim();
        line.starts_with(".module(") && line.trim_end_matches(';').ends_with(')')
    };
    let lines = text.lines().enumerate();
    let (last, found) = lines.filter(|(_, line)| is_call(line)).last()?;
    let indent = &found[..found.len() - found.trim_start().len()];
    if let Some(ended) = found.strip_suffix(';') {
        // The last call of the chain: the semicolon moves to the new line.
        let chained = replaced(text, last, ended);
        return Some(before(&chained, last + 2, &format!("{indent}{call};")));
    }
    Some(before(text, last + 2, &format!("{indent}{call}")))
}

/// Adds variants to the end of an enum. `lines` is their text; `names` tells if they are there.
pub(crate) fn variants(text: &str, name: &str, names: &[&str], lines: &str) -> Option<String> {
    let file = syn::parse_file(text).ok()?;
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(found) if found.ident == name => Some(found),
        _ => None,
    })?;
    let has = |name: &&str| found.variants.iter().any(|variant| variant.ident == name);
    if names.iter().all(&has) {
        return Some(text.to_owned());
    }
    if names.iter().any(has) {
        return None;
    }
    let end = first_line(found.brace_token.span.close());
    Some(before(text, end, lines.trim_end_matches('\n')))
}

/// Adds a Cargo feature of `doyen` to a manifest.
pub(crate) fn feature(text: &str, name: &str) -> Option<String> {
    const LIST: &str = "features = [";
    let quoted = format!("\"{name}\"");
    let line = text.lines().find(|line| line.starts_with("doyen = "))?;
    let start = text.find(line)?;
    if !line.contains(LIST) {
        let dependency = line.strip_prefix("doyen = ")?;
        let changed = match dependency.strip_suffix(" }") {
            Some(table) => format!("doyen = {table}, {LIST}{quoted}] }}"),
            None if dependency.starts_with('"') => {
                format!("doyen = {{ version = {dependency}, {LIST}{quoted}] }}")
            }
            None => return None,
        };
        return Some(text.replacen(line, &changed, 1));
    }
    let begin = start + line.find(LIST)? + LIST.len();
    let list = &text[begin..begin + text[begin..].find(']')?];
    if list.contains(&quoted) {
        return Some(text.to_owned());
    }
    let comma = if list.trim().is_empty() { "" } else { ", " };
    Some(format!(
        "{}{quoted}{comma}{}",
        &text[..begin],
        &text[begin..]
    ))
}

/// The line of the first attribute or doc comment of a module.
fn start_of(module: &syn::ItemMod) -> usize {
    let first = module.attrs.first().map(|attribute| attribute.span());
    first_line(first.unwrap_or_else(|| module.span()))
}

/// The line in which a part of the syntax tree begins, with the feature `span-locations`.
fn first_line(span: Span) -> usize {
    span.start().line
}

/// Inserts lines before a line, which is counted from 1.
fn before(text: &str, line: usize, new: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert((line - 1).min(lines.len()), new);
    lines.join("\n") + "\n"
}

/// Replaces a line, which is counted from 0.
fn replaced(text: &str, line: usize, new: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines[line] = new;
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "\
//! A shop.

pub mod access;
/// Users.
pub mod users;
mod seed;

pub fn app() -> App {
    App::new(\"shop\")
        .module(users::module())
        .seed(seed::seed)
}
";

    #[test]
    fn a_module_is_added_in_order_and_once() {
        let added = module(LIB, "pub ", "orders").unwrap();
        assert!(
            added.contains(
                "pub mod access;\npub mod orders;\n/// Users.\npub mod users;\nmod seed;"
            ),
            "{added}"
        );
        assert_eq!(module(&added, "pub ", "orders").unwrap(), added);
        let last = module(LIB, "pub ", "zebras").unwrap();
        assert!(
            last.contains("pub mod users;\npub mod zebras;\nmod seed;"),
            "{last}"
        );
    }

    #[test]
    fn a_module_is_mounted_after_the_others_and_once() {
        let call = ".module(orders::module())";
        let added = mounted(LIB, call).unwrap();
        let lines =
            "        .module(users::module())\n        .module(orders::module())\n        .seed";
        assert!(added.contains(lines), "{added}");
        assert_eq!(mounted(&added, call).unwrap(), added);
        assert_eq!(mounted("fn app() -> App { build() }\n", call), None);
        let ended = mounted("    let app = app\n        .module(a::module());\n", call).unwrap();
        assert!(
            ended.ends_with(".module(a::module())\n        .module(orders::module());\n"),
            "{ended}"
        );
    }

    #[test]
    fn variants_are_added_at_the_end_and_once() {
        let text = "enum Scope {\n    /// Profile.\n    Profile,\n}\n";
        let lines = "    /// Read.\n    Read,\n";
        let added = variants(text, "Scope", &["Read"], lines).unwrap();
        assert_eq!(
            added,
            "enum Scope {\n    /// Profile.\n    Profile,\n    /// Read.\n    Read,\n}\n"
        );
        assert_eq!(variants(&added, "Scope", &["Read"], lines).unwrap(), added);
        assert_eq!(variants(text, "Role", &["Read"], lines), None);
    }

    #[test]
    fn a_feature_is_added_once_to_each_form_of_a_dependency() {
        for (before, after) in [
            (
                "doyen = { path = \"d\", features = [\"smtp\"] }",
                "doyen = { path = \"d\", features = [\"decimal\", \"smtp\"] }",
            ),
            (
                "doyen = { path = \"d\" }",
                "doyen = { path = \"d\", features = [\"decimal\"] }",
            ),
            (
                "doyen = \"0.1\"",
                "doyen = { version = \"0.1\", features = [\"decimal\"] }",
            ),
        ] {
            let manifest = |line: &str| format!("[dependencies]\n{line}\ndoyen-test = \"0.1\"\n");
            let added = feature(&manifest(before), "decimal").unwrap();
            assert_eq!(added, manifest(after));
            assert_eq!(feature(&added, "decimal").unwrap(), added);
        }
        assert_eq!(feature("[dependencies.doyen]\n", "decimal"), None);
    }
}
