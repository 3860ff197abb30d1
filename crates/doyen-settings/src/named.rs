//! Sections whose names are chosen in the settings: `[outbound.payments]`, `[outbound.search]`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Key, Reader, Settings};

/// Stands for the name in the path of a key: `outbound.<name>.timeout`.
const NAME: &str = "<name>";

/// A section for each name that the sources use. A name is `a-z`, digits and single `_`, so that it
/// can be a part of an environment variable.
impl<S: Settings> Settings for BTreeMap<String, S> {
    fn keys() -> Vec<Key> {
        let named = |key: Key| Key {
            optional: true,
            ..key.within(NAME)
        };
        S::keys().into_iter().map(named).collect()
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Read all sections before returning the first error, so that every error is reported.
        let sections: Vec<_> = reader
            .names()
            .into_iter()
            .map(|name| reader.section::<S>(&name).map(|section| (name, section)))
            .collect();
        sections.into_iter().collect()
    }
}

/// Returns the name after this section in a path: `payments` in `outbound.payments.timeout`.
pub(crate) fn name_in<'a>(path: &'a str, section: &str) -> Option<&'a str> {
    let (name, _) = path.strip_prefix(section)?.split_once('.')?;
    is_name(name).then_some(name)
}

/// Replaces each key with a `<name>` by the keys of the names that occur in these paths.
pub(crate) fn expand(keys: &[Key], paths: &[String]) -> Vec<Key> {
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        let Some((section, rest)) = key.path.split_once(NAME) else {
            all.push(key.clone());
            continue;
        };
        let names: BTreeSet<&str> = paths
            .iter()
            .filter_map(|path| name_in(path, section))
            .collect();
        all.extend(names.into_iter().map(|name| Key {
            path: format!("{section}{name}{rest}"),
            ..key.clone()
        }));
    }
    all
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.contains("__")
        && !name.ends_with('_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
