//! Reads a struct of settings from the values of all sources.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use doyen_core::mask;

use crate::named::name_in;
use crate::tree::Tree;
use crate::{Fault, Key, Origin, Raw, Row, Setting, Spec};

/// A struct of settings. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no struct of settings",
    label = "`{Self}` does not say what can be set",
    note = "write `#[derive(Settings)]` above the struct",
    note = "a field with a single value needs neither `section` nor `flatten`"
)]
pub trait Settings: Sized {
    /// Returns all settings of the struct.
    fn keys() -> Vec<Key>;

    /// Reads all fields. Returns `None` if there is an error, which the reader records.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// No settings.
impl Settings for () {
    fn keys() -> Vec<Key> {
        Vec::new()
    }
    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(())
    }
}

/// An optional section: `None` until one of its keys is set.
impl<S: Settings> Settings for Option<S> {
    fn keys() -> Vec<Key> {
        let optional = |key| Key {
            optional: true,
            ..key
        };
        S::keys().into_iter().map(optional).collect()
    }
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if reader.sets_any(&S::keys()) {
            S::read(reader).map(Some)
        } else {
            Some(None)
        }
    }
}

/// Reads fields and records errors.
#[derive(Debug)]
pub struct Reader<'a> {
    tree: &'a Tree,
    prefix: &'a str,
    files: &'a [String],
    complete: bool,
    section: String,
    faults: Vec<Fault>,
    rows: Vec<Row>,
}

impl<'a> Reader<'a> {
    /// Reads these values. Prefix and files are named in the message of a missing value. If a file
    /// could not be read, the value may be in it, so its absence is not reported.
    pub(crate) fn new(
        tree: &'a Tree,
        prefix: &'a str,
        files: &'a [String],
        complete: bool,
    ) -> Self {
        let (section, faults, rows) = (String::new(), Vec::new(), Vec::new());
        Self {
            tree,
            prefix,
            files,
            complete,
            section,
            faults,
            rows,
        }
    }

    /// Returns the errors and the settings read.
    pub(crate) fn finish(self) -> (Vec<Fault>, Vec<Row>) {
        (self.faults, self.rows)
    }

    /// Reads the value of a field.
    pub fn value<T: Setting>(&mut self, spec: &Spec) -> Option<T> {
        let path = format!("{}{}", self.section, spec.name);
        // An invalid default is a mistake in the program: it is reported at every start, used or
        // not.
        let default = match spec.default {
            Some(text) => {
                let raw = Raw::Word(text.to_owned());
                let value = self.checked::<T>(&path, spec, &raw, &Origin::Default)?;
                Some((value, raw.shown()))
            }
            None => T::absent().map(|value| (value, "not set".to_owned())),
        };
        if let Some(entry) = self.tree.find(&path) {
            let value = if T::SECRET {
                "***".to_owned()
            } else {
                mask(&entry.raw.shown())
            };
            self.rows.push(Row {
                key: path.clone(),
                value,
                origin: entry.origin.clone(),
            });
            return self.checked(&path, spec, &entry.raw, &entry.origin);
        }
        match default {
            Some((value, shown)) => {
                self.rows.push(Row {
                    key: path,
                    value: mask(&shown),
                    origin: Origin::Default,
                });
                Some(value)
            }
            None => {
                if self.complete {
                    let message = self.missing(&Key::of::<T>(spec), &path);
                    self.faults.push(Fault::new(&path, message));
                }
                None
            }
        }
    }

    /// Reads the struct of a field: its keys are below this name.
    pub fn section<S: Settings>(&mut self, name: &str) -> Option<S> {
        let outer = self.section.len();
        self.section.push_str(name);
        self.section.push('.');
        let value = S::read(self);
        self.section.truncate(outer);
        value
    }

    /// Returns the names of the sections below the current one.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let names = self
            .tree
            .paths()
            .filter_map(|path| name_in(path, &self.section));
        names.map(str::to_owned).collect()
    }

    fn sets_any(&self, keys: &[Key]) -> bool {
        keys.iter().any(|key| {
            self.tree
                .find(&format!("{}{}", self.section, key.path))
                .is_some()
        })
    }

    fn checked<T: Setting>(
        &mut self,
        path: &str,
        spec: &Spec,
        raw: &Raw,
        origin: &Origin,
    ) -> Option<T> {
        let wrong = match T::read(raw) {
            Ok(value) => match out_of_range(&value, spec) {
                None => return Some(value),
                Some(wrong) => wrong,
            },
            Err(wrong) => format!("it must be {}", wrong.limited_by(spec)),
        };
        let from = match origin {
            Origin::Default => "its default in the program".to_owned(),
            origin => origin.to_string(),
        };
        let message = if T::SECRET {
            format!("`{path}` from {from} is wrong (the value is secret and not shown): {wrong}")
        } else {
            format!("`{path}` from {from} is `{}`: {wrong}", mask(&raw.shown()))
        };
        self.faults.push(Fault::new(path, message));
        None
    }

    fn missing(&self, key: &Key, path: &str) -> String {
        let variable = Key {
            path: path.to_owned(),
            ..key.clone()
        }
        .variable(self.prefix);
        let variable = key.env.map_or(variable, str::to_owned);
        let by_file = match key.secret {
            true => format!(", or the path of a file with it as {variable}_FILE"),
            false => String::new(),
        };
        let variable = format!("environment variable {variable}{by_file}");
        match self.files {
            [] => format!("`{path}` is not set: give it as {variable}"),
            files => format!(
                "`{path}` is not set: write it in {}, or give it as {variable}",
                files.join(" or ")
            ),
        }
    }
}

/// Returns the requirement for a value outside its limits.
fn out_of_range<T: Setting>(value: &T, spec: &Spec) -> Option<String> {
    for (word, limit, bad) in [
        ("min", spec.min, Ordering::Less),
        ("max", spec.max, Ordering::Greater),
    ] {
        let Some(limit) = limit else { continue };
        match value.compare(limit) {
            None => {
                return Some(format!(
                    "its `{word}`, `{limit}`, is no limit for a {}; correct the attribute in the program",
                    T::kind()
                ));
            }
            Some(order) if order == bad => {
                return spec
                    .range()
                    .map(|range| format!("it must be {}", range.trim_start_matches("of ")));
            }
            Some(_) => {}
        }
    }
    None
}
