//! Collects the sources and reads them.

use std::fmt;
use std::path::PathBuf;

use doyen_core::mask;

use crate::reader::Reader;
use crate::tree::Tree;
use crate::variable::{Known, Variables};
use crate::{Environment, Fault, Key, Origin, Raw, Settings, SettingsError, file, named};

/// The sources of settings. By default only the environment variables of the process.
///
/// ```no_run
/// # extern crate doyen_settings as doyen;
/// # use doyen_settings::{Loader, Settings};
/// # /// Settings.
/// # #[derive(Settings)]
/// # struct Shop {}
/// let loaded = Loader::new("APP").folder("config").load::<Shop>()?;
/// for row in &loaded.report {
///     println!("{} = {} ({})", row.key, row.value, row.origin);
/// }
/// # Ok::<(), doyen_settings::SettingsError>(())
/// ```
pub struct Loader {
    prefix: String,
    variables: Option<Variables>,
    folder: Option<PathBuf>,
    files: Vec<PathBuf>,
    environment: Option<Environment>,
    values: Vec<(String, String)>,
    optional_values: Vec<(String, String)>,
    absent: Vec<(String, String)>,
}

/// The variables contain secrets, so they are not shown.
impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("prefix", &self.prefix)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Loader {
    /// Creates a loader for variables with this prefix: `APP` for `APP_ENV`, `APP_SERVER__BIND`.
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            variables: None,
            folder: None,
            files: Vec::new(),
            environment: None,
            values: Vec::new(),
            optional_values: Vec::new(),
            absent: Vec::new(),
        }
    }

    /// Reads these variables instead of those of the process, for tests.
    #[must_use]
    pub fn env<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.variables = Some(Variables::given(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        ));
        self
    }

    /// Reads `base.toml` and the file of the environment from this folder, if they exist.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Reads one more file, with a higher priority than those of the folder. It must exist.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Sets the environment, independent of `APP_ENV`, for tests.
    #[must_use]
    pub const fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Sets one value with the highest priority, for tests and command lines. The syntax is that of
    /// a variable.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((key.into(), value.into()));
        self
    }

    /// Sets one value like [`set`](Self::set), unless the program has no such setting, for tests of
    /// many programs.
    #[must_use]
    pub fn set_if_known(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.optional_values.push((key.into(), value.into()));
        self
    }

    /// Names a section or a key that this program does not read, and advice if it is set: the
    /// section of a part that is not built in, or a renamed key.
    #[must_use]
    pub fn absent_section(mut self, name: &str, advice: impl Into<String>) -> Self {
        self.absent.push((name.to_owned(), advice.into()));
        self
    }

    /// Reads all settings.
    ///
    /// # Errors
    ///
    /// Returns every mistake: unknown, missing and invalid values, and unreadable files.
    pub fn load<S: Settings>(self) -> Result<Loaded<S>, SettingsError> {
        let (loaded, faults) = self.load_with(&S::keys(), S::read)?;
        match loaded.value {
            Some(value) if faults.is_empty() => Ok(Loaded {
                value,
                environment: loaded.environment,
                report: loaded.report,
                warnings: loaded.warnings,
            }),
            _ => Err(SettingsError { faults }),
        }
    }

    /// Reads settings that are not one struct: `keys` lists them, and `read` reads them. Returns
    /// the result together with all errors.
    ///
    /// # Errors
    ///
    /// Returns an error if the environment (`APP_ENV`) is unknown.
    pub fn load_with<T>(
        self,
        keys: &[Key],
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> Result<(Loaded<T>, Vec<Fault>), SettingsError> {
        let variables = self.variables.clone().unwrap_or_else(Variables::of_process);
        // Everything else depends on it, so it is reported alone.
        let environment = self.pick(&variables).map_err(|fault| SettingsError {
            faults: vec![fault],
        })?;
        let mut tree = Tree::default();
        let mut faults = twice(keys, &self.prefix);
        let files = self.paths(environment);
        let mut complete = true;
        for (path, required) in &files {
            complete &= file::read(path, *required, &mut tree, &mut faults);
        }
        let mut paths: Vec<String> = tree.paths().map(str::to_owned).collect();
        paths.extend(variables.paths(&self.prefix));
        let values = self.values.iter().chain(&self.optional_values);
        paths.extend(values.map(|(key, _)| key.clone()));
        let keys = &*named::expand(keys, &paths);
        let known = Known {
            prefix: &self.prefix,
            keys,
            absent: &self.absent,
        };
        let warnings = variables.read(&known, &mut tree, &mut faults);
        let known = self.optional_values.into_iter();
        let known = known.filter(|(key, _)| keys.iter().any(|known| known.path == *key));
        for (key, value) in known.chain(self.values) {
            tree.set(key, Raw::Word(value), Origin::Code);
        }
        tree.refuse_unknown(keys, &self.absent, &mut faults);
        let names: Vec<String> = files
            .iter()
            .map(|(path, _)| path.display().to_string())
            .collect();
        let mut reader = Reader::new(&tree, &self.prefix, &names, complete);
        let value = read(&mut reader);
        let (wrong, report) = reader.finish();
        faults.extend(wrong);
        let loaded = Loaded {
            value,
            environment,
            report,
            warnings,
        };
        Ok((loaded, faults))
    }

    fn pick(&self, variables: &Variables) -> Result<Environment, Fault> {
        let name = format!("{}_ENV", self.prefix);
        match (self.environment, variables.get(&name)) {
            (Some(environment), _) => Ok(environment),
            (None, None) => Ok(Environment::default()),
            (None, Some(word)) => word.parse().map_err(|wrong| {
                Fault::new(
                    &name,
                    format!(
                        "environment variable {name} is `{}`: it must be {wrong}",
                        mask(word)
                    ),
                )
            }),
        }
    }

    /// Returns the files in increasing priority, and whether each is required.
    fn paths(&self, environment: Environment) -> Vec<(PathBuf, bool)> {
        let folder = self.folder.iter().flat_map(|folder| {
            [
                folder.join("base.toml"),
                folder.join(format!("{environment}.toml")),
            ]
        });
        folder
            .map(|path| (path, false))
            .chain(self.files.iter().map(|path| (path.clone(), true)))
            .collect()
    }
}

/// Checks that no two fields have one key or one variable. It is a mistake in the program, made
/// with `flatten`.
fn twice(keys: &[Key], prefix: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (i, key) in keys.iter().enumerate() {
        if keys[..i]
            .iter()
            .any(|before| before.variable(prefix) == key.variable(prefix))
        {
            faults.push(Fault::new(
                &key.path,
                format!(
                    "two fields of the program have the setting `{}`: rename one",
                    key.path
                ),
            ));
        }
        if key.variable(prefix) == format!("{prefix}_ENV") {
            let message = format!(
                "`{}` cannot be a setting: {prefix}_ENV names the environment. Rename the field",
                key.path
            );
            faults.push(Fault::new(&key.path, message));
        }
    }
    faults
}

/// The settings and their origins.
#[derive(Clone, Debug)]
pub struct Loaded<S> {
    /// The settings.
    pub value: S,
    /// Environment.
    pub environment: Environment,
    /// Each setting with its value and its origin, in the order of the fields.
    pub report: Vec<Row>,
    /// Environment variables that begin with the prefix and are no settings. They are ignored.
    pub warnings: Vec<Fault>,
}

/// One setting, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Key.
    pub key: String,
    /// Value as written; `***` for a secret, a URL without its password, `not set` for none.
    pub value: String,
    /// Origin.
    pub origin: Origin,
}
