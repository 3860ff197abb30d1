//! The table of all settings.

use std::fmt::Write as _;

use crate::{Key, Settings};

/// Returns all settings as a Markdown table: key, variables, kind, default, description.
///
/// ```
/// # extern crate doyen_settings as doyen;
/// use doyen_settings::{Settings, reference};
///
/// #[derive(Settings)]
/// struct Mail {
///     /// Workers.
///     #[setting(default = 4, min = 1)]
///     workers: u16,
/// }
///
/// let row = "| `workers` | `APP_WORKERS` | whole number of at least 1 | `4` | Workers. |";
/// assert!(reference::<Mail>("APP").contains(row));
/// ```
pub fn reference<S: Settings>(prefix: &str) -> String {
    reference_of(&S::keys(), prefix)
}

/// The same for settings that are not one struct.
pub fn reference_of(keys: &[Key], prefix: &str) -> String {
    let mut out = "| setting | environment variable | value | default | meaning |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for key in keys {
        let variable = key.variable(prefix);
        let variables = key.env.map_or_else(
            || format!("`{variable}`"),
            |env| format!("`{env}`, `{variable}`"),
        );
        let default = match key.default {
            Some("") => "empty".to_owned(),
            Some(default) => format!("`{}`", cell(default)),
            None if key.optional => "none".to_owned(),
            None => "required".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| `{}` | {variables} | {} | {default} | {} |",
            key.path,
            cell(&key.kind),
            cell(key.doc)
        );
    }
    out
}

/// Escapes a text for a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
