//! Values from environment variables.

use std::ffi::OsString;

use crate::choice::nearest;
use crate::tree::Tree;
use crate::{Fault, Key, Origin, Raw};

/// The variables of a process or of a test. A value that is not Unicode is `None`.
#[derive(Clone, Default)]
pub(crate) struct Variables(Vec<(String, Option<String>)>);

impl Variables {
    /// Returns those of this process. A name that is not Unicode is never a setting.
    pub(crate) fn of_process() -> Self {
        let unicode = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()))
        };
        Self(std::env::vars_os().filter_map(unicode).collect())
    }

    /// Creates a set of variables.
    pub(crate) fn given(all: impl Iterator<Item = (String, String)>) -> Self {
        Self(all.map(|(name, value)| (name, Some(value))).collect())
    }

    /// Returns the value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .and_then(|(_, value)| value.as_deref())
    }

    /// Adds the values of known keys, and refuses other variables with the prefix.
    pub(crate) fn read(
        &self,
        prefix: &str,
        keys: &[Key],
        absent: &[(String, String)],
        tree: &mut Tree,
        faults: &mut Vec<Fault>,
    ) {
        let own = format!("{prefix}_");
        let environment = format!("{prefix}_ENV");
        for (name, value) in &self.0 {
            let meant: Vec<&Key> = keys
                .iter()
                .filter(|key| key.variable(prefix) == *name || key.env == Some(&**name))
                .collect();
            if meant.is_empty() {
                if name.starts_with(&own) && *name != environment {
                    faults.push(unknown(name, prefix, keys, absent));
                }
                continue;
            }
            let Some(value) = value else {
                faults.push(Fault::new(
                    name,
                    format!("environment variable {name} is not Unicode: give it in UTF-8"),
                ));
                continue;
            };
            for key in meant {
                refuse_second(name, value, key, prefix, self, faults);
                tree.set(
                    key.path.clone(),
                    Raw::Word(value.clone()),
                    Origin::Variable(name.clone()),
                );
            }
        }
    }
}

/// A key with two variables that differ: it is not clear which one counts.
fn refuse_second(
    name: &str,
    value: &str,
    key: &Key,
    prefix: &str,
    all: &Variables,
    faults: &mut Vec<Fault>,
) {
    let own = key.variable(prefix);
    // Reported once, at the one with the prefix.
    if let Some(second) = key.env
        && name == own
        && second != own
        && all.get(second).is_some_and(|other| other != value)
    {
        let message = format!(
            "`{}` is set twice, by the environment variables {second} and {own}, with different values: keep one",
            key.path
        );
        faults.push(Fault::new(&key.path, message));
    }
}

fn unknown(name: &str, prefix: &str, keys: &[Key], absent: &[(String, String)]) -> Fault {
    let said = format!("unknown setting in environment variable {name}");
    for (absent, advice) in absent {
        let variable = format!("{prefix}_{}", absent.replace('.', "__").to_uppercase());
        if name == variable {
            return Fault::new(name, format!("{said}: {advice}"));
        }
        if name.starts_with(&format!("{variable}__")) {
            let message = format!(
                "environment variable {name} belongs to section `{absent}`, which this application does not read: {advice}"
            );
            return Fault::new(name, message);
        }
    }
    let known: Vec<String> = keys
        .iter()
        .map(|key| key.variable(prefix))
        .chain([format!("{prefix}_ENV")])
        .collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => Fault::new(name, format!("{said}: did you mean {near}?")),
        None => Fault::new(
            name,
            format!("{said}: remove it; names that begin with {prefix}_ are settings"),
        ),
    }
}
