//! The values of all sources, in increasing priority.

use std::fmt;

use crate::choice::nearest;
use crate::{Fault, Key, Raw};

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The default of the field, or no value.
    Default,
    /// A file.
    File {
        /// Path as given to the loader.
        path: String,
        /// Line, counted from 1.
        line: usize,
    },
    /// An environment variable with this name.
    Variable(String),
    /// A file whose path an environment variable holds.
    SecretFile {
        /// The path.
        path: String,
        /// The variable: `APP_AUTH__SIGNING_KEY_FILE`.
        variable: String,
    },
    /// [`Loader::set`](crate::Loader::set).
    Code,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path} line {line}"),
            Origin::Variable(name) => write!(f, "environment variable {name}"),
            Origin::SecretFile { path, variable } => {
                write!(f, "{path} (environment variable {variable})")
            }
            Origin::Code => f.write_str("code"),
        }
    }
}

/// A value of a key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

/// The values of all sources. The last one of a key wins.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    entries: Vec<Entry>,
}

impl Tree {
    /// Adds a value with a higher priority than those before.
    pub(crate) fn set(&mut self, path: String, raw: Raw, origin: Origin) {
        self.entries.push(Entry { path, raw, origin });
    }

    /// Returns the keys of all values.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.path.as_str())
    }

    /// Returns the value of a key with the highest priority.
    pub(crate) fn find(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.path == path)
    }

    /// Reports each value with an unknown key.
    pub(crate) fn refuse_unknown(
        &self,
        keys: &[Key],
        absent: &[(String, String)],
        faults: &mut Vec<Fault>,
    ) {
        for entry in &self.entries {
            if !keys.iter().any(|key| key.path == entry.path) {
                faults.push(Fault::new(&entry.path, unknown(entry, keys, absent)));
            }
        }
    }
}

fn unknown(entry: &Entry, keys: &[Key], absent: &[(String, String)]) -> String {
    let Entry { path, origin, .. } = entry;
    let belongs = |name: &str| {
        path.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if let Some((name, advice)) = absent.iter().find(|(name, _)| belongs(name)) {
        return match name == path {
            true => format!("unknown setting `{path}` in {origin}: {advice}"),
            false => format!(
                "`{path}` in {origin} belongs to section `{name}`, which this application does not read: {advice}"
            ),
        };
    }
    let within = |section: &str| {
        let inside = keys.iter().filter(|key| {
            key.path
                .strip_prefix(section)
                .is_some_and(|rest| rest.starts_with('.'))
        });
        inside
            .map(|key| format!("`{}`", key.path))
            .collect::<Vec<_>>()
    };
    let inside = within(path);
    if !inside.is_empty() {
        return format!(
            "`{path}` in {origin} is a section, not a value: set {}",
            inside.join(", ")
        );
    }
    let parent = keys.iter().find(|key| {
        path.strip_prefix(&*key.path)
            .is_some_and(|rest| rest.starts_with('.'))
    });
    if let Some(parent) = parent {
        return format!(
            "`{path}` in {origin} is below `{0}`, which is a value, not a section: set `{0}`",
            parent.path
        );
    }
    let said = format!("unknown setting `{path}` in {origin}");
    if let Some(near) = near(path, keys) {
        return format!("{said}: did you mean `{near}`?");
    }
    let siblings = path
        .rsplit_once('.')
        .map(|(section, _)| within(section))
        .unwrap_or_default();
    match siblings.is_empty() {
        true => format!("{said}: remove it"),
        false => format!("{said}: remove it, or set {}", siblings.join(", ")),
    }
}

/// Returns the key that was probably meant: a misspelt one, or one of the same name in another
/// section.
fn near<'k>(path: &str, keys: &'k [Key]) -> Option<&'k str> {
    let last = |path: &'k str| path.rsplit('.').next().unwrap_or(path);
    let paths = || keys.iter().map(|key| &*key.path);
    let name = path.rsplit('.').next().unwrap_or(path);
    nearest(path, paths()).or_else(|| paths().find(|known| last(known) == name))
}
