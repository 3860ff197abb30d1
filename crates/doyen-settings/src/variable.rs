//! Values from environment variables.

use std::ffi::OsString;

use crate::choice::nearest;
use crate::tree::Tree;
use crate::{Fault, Key, Origin, Raw, kubernetes};

/// Suffix of a variable that holds the path of a file with the value, for secrets.
const FILE: &str = "_FILE";

/// The variables of a process or of a test. A value that is not Unicode is `None`.
#[derive(Clone, Default)]
pub(crate) struct Variables(Vec<(String, Option<String>)>);

/// What can be set: the prefix of the variables, the keys, and the sections that are not read.
pub(crate) struct Known<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) keys: &'a [Key],
    pub(crate) absent: &'a [(String, String)],
}

/// A value of a key, and where it came from.
struct Given {
    name: String,
    value: String,
    origin: Origin,
}

impl Variables {
    /// Returns those of this process. A name that is not Unicode is never a setting.
    pub(crate) fn of_process() -> Self {
        let unicode = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()))
        };
        Self::trimmed(std::env::vars_os().filter_map(unicode))
    }

    /// Creates a set of variables.
    pub(crate) fn given(all: impl Iterator<Item = (String, String)>) -> Self {
        Self::trimmed(all.map(|(name, value)| (name, Some(value))))
    }

    /// A line break at the end comes from the file or command that the value was read from.
    fn trimmed(all: impl Iterator<Item = (String, Option<String>)>) -> Self {
        let trim = |value: String| value.trim_end_matches(['\r', '\n']).to_owned();
        Self(all.map(|(name, value)| (name, value.map(trim))).collect())
    }

    /// Returns the value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(known, _)| known == name);
        value.and_then(|(_, value)| value.as_deref())
    }

    /// Returns the keys that the variables with this prefix may set.
    pub(crate) fn paths(&self, prefix: &str) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(move |(name, _)| {
            let key = name.strip_prefix(prefix)?.strip_prefix('_')?;
            Some(key.replace("__", ".").to_lowercase())
        })
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Adds the values of known keys and refuses other variables with the prefix. Returns those
    /// that may belong to another program, which are ignored.
    pub(crate) fn read(
        &self,
        known: &Known<'_>,
        tree: &mut Tree,
        faults: &mut Vec<Fault>,
    ) -> Vec<Fault> {
        for key in known.keys {
            let mut given = self.values(key, known, faults);
            refuse_different(key, &given, faults);
            if !given.is_empty() {
                let Given { value, origin, .. } = given.swap_remove(0);
                tree.set(key.path.clone(), Raw::Word(value), origin);
            }
        }
        let mut warnings = Vec::new();
        let own = format!("{}_", known.prefix);
        for (name, value) in &self.0 {
            let value = value.as_deref().unwrap_or_default();
            if !name.starts_with(&own)
                || known.owns(name)
                || kubernetes::is_service_variable(name, value)
            {
                continue;
            }
            if name.contains("__") {
                faults.push(known.refuse(name));
            } else {
                warnings.push(known.ignore(name));
            }
        }
        warnings
    }

    /// All values of a key: that of each of its variables, and for a secret that of each file.
    fn values(&self, key: &Key, known: &Known<'_>, faults: &mut Vec<Fault>) -> Vec<Given> {
        let mut all = Vec::new();
        for name in known.variables(key) {
            match self.0.iter().find(|(known, _)| *known == name) {
                Some((_, Some(value))) if kubernetes::is_service_address(&name, value) => {}
                Some((_, Some(value))) => all.push(Given {
                    value: value.clone(),
                    origin: Origin::Variable(name.clone()),
                    name: name.clone(),
                }),
                Some((_, None)) => faults.push(Fault::new(
                    &name,
                    format!("environment variable {name} is not Unicode: give it in UTF-8"),
                )),
                None => {}
            }
            let file = format!("{name}{FILE}");
            if key.secret && self.has(&file) && !known.is_key(&file) {
                match secret_file(self.get(&file).unwrap_or_default(), file) {
                    Ok(given) => all.push(given),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        all
    }
}

/// Reads the file whose path a variable holds.
fn secret_file(path: &str, variable: String) -> Result<Given, Fault> {
    let wrong = |what: String| {
        let message = format!(
            "the file `{path}` of environment variable {variable} {what}. Correct the path, the file or its rights"
        );
        Fault::new(&variable, message)
    };
    let text =
        std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let value = text.trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(wrong("is empty".to_owned()));
    }
    Ok(Given {
        value: value.to_owned(),
        origin: Origin::SecretFile {
            path: path.to_owned(),
            variable: variable.clone(),
        },
        name: variable,
    })
}

/// A key with two values that differ: it is not clear which one counts.
fn refuse_different(key: &Key, given: &[Given], faults: &mut Vec<Fault>) {
    let [first, rest @ ..] = given else { return };
    if let Some(second) = rest.iter().find(|other| other.value != first.value) {
        let message = format!(
            "`{}` is set twice, by the environment variables {} and {}, with different values: keep one",
            key.path, first.name, second.name
        );
        faults.push(Fault::new(&key.path, message));
    }
}

impl Known<'_> {
    /// The variables of a key.
    fn variables(&self, key: &Key) -> Vec<String> {
        let own = key.variable(self.prefix);
        let second = key.env.filter(|env| *env != own).map(str::to_owned);
        second.into_iter().chain([own]).collect()
    }

    fn environment(&self) -> String {
        format!("{}_ENV", self.prefix)
    }

    /// The key that this variable sets.
    fn key(&self, name: &str) -> Option<&Key> {
        let mut keys = self.keys.iter();
        keys.find(|key| self.variables(key).iter().any(|variable| variable == name))
    }

    fn is_key(&self, name: &str) -> bool {
        self.key(name).is_some()
    }

    /// True if the variable sets a key, or names the file of a secret.
    fn owns(&self, name: &str) -> bool {
        let secret = || self.key(name.strip_suffix(FILE)?).map(|key| key.secret);
        name == self.environment() || self.is_key(name) || secret() == Some(true)
    }

    fn refuse(&self, name: &str) -> Fault {
        let said = format!("unknown setting in environment variable {name}");
        for (absent, advice) in self.absent {
            let variable = self.variable(absent);
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
        if let Some(key) = name.strip_suffix(FILE).and_then(|name| self.key(name)) {
            let message = format!(
                "{said}: only secrets are read from files. Set {}",
                key.variable(self.prefix)
            );
            return Fault::new(name, message);
        }
        let advice = match self.nearest(name) {
            Some(near) => format!("did you mean {near}?"),
            None => format!(
                "remove it; names that begin with {}_ and contain `__` are settings",
                self.prefix
            ),
        };
        Fault::new(name, format!("{said}: {advice}"))
    }

    /// Without `__`, the variable may be one of another program.
    fn ignore(&self, name: &str) -> Fault {
        let said = format!("environment variable {name} is no setting and is ignored");
        let advice = self
            .absent
            .iter()
            .find(|(absent, _)| self.variable(absent) == name);
        let message = match (advice, self.nearest(name)) {
            (Some((_, advice)), _) => format!("{said}: {advice}"),
            (None, Some(near)) => format!("{said}: did you mean {near}?"),
            (None, None) => said,
        };
        Fault::new(name, message)
    }

    fn variable(&self, path: &str) -> String {
        format!("{}_{}", self.prefix, path.replace('.', "__").to_uppercase())
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let mut known: Vec<String> = vec![self.environment()];
        known.extend(self.keys.iter().map(|key| key.variable(self.prefix)));
        nearest(name, known.iter().map(String::as_str)).map(str::to_owned)
    }
}
