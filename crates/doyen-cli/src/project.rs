//! The application in the current folder.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// The databases that an application can have migrations for.
pub(crate) const DATABASES: [&str; 2] = ["sqlite", "postgres"];

/// An application with Doyen.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder with its `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Name of its crate in code: `my_api`.
    pub(crate) crate_name: String,
    /// The databases that it has migrations for.
    pub(crate) databases: Vec<&'static str>,
    /// True if it has users, scopes and access tokens.
    pub(crate) has_accounts: bool,
}

impl Project {
    /// Finds the application that contains the current folder.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir()
            .map_err(|error| Failure::new(format!("the current folder is unreadable: {error}")))?;
        for folder in here.ancestors() {
            let manifest = folder.join("Cargo.toml");
            if manifest.is_file() {
                let text = read(&manifest)?;
                if let Some(project) = Self::of(folder, &manifest, &text)? {
                    return Ok(project);
                }
            }
        }
        Err(Failure::new(format!(
            "{} is not inside an application: no Cargo.toml here or above has the dependency `doyen`",
            here.display()
        ))
        .help("run `doyen new shop` to create one, and `cd shop`"))
    }

    /// Reads a manifest. `None` if it is not that of an application with Doyen.
    fn of(folder: &Path, manifest: &Path, text: &str) -> Result<Option<Self>> {
        let table: toml::Table = text.parse().map_err(|error| {
            Failure::new(format!("{} cannot be parsed: {error}", manifest.display()))
        })?;
        let package = table.get("package").and_then(|package| package.get("name"));
        let has_doyen = table
            .get("dependencies")
            .is_some_and(|dependencies| dependencies.get("doyen").is_some());
        let Some(name) = package.and_then(toml::Value::as_str).filter(|_| has_doyen) else {
            return Ok(None);
        };
        let databases = DATABASES
            .into_iter()
            .filter(|database| folder.join("migrations").join(database).is_dir());
        Ok(Some(Self {
            root: folder.to_path_buf(),
            crate_name: name.replace('-', "_"),
            databases: databases.collect(),
            has_accounts: folder.join("src/access.rs").is_file(),
        }))
    }

    /// Returns the version of the next migration: the time, later than every other one.
    pub(crate) fn next_version(&self) -> Result<String> {
        let mut last = 0;
        for database in &self.databases {
            for name in self.migrations(database)? {
                let version = name.split('_').next().and_then(|text| text.parse().ok());
                last = last.max(version.unwrap_or(0));
            }
        }
        let now = chrono::Utc::now().format("%Y%m%d%H%M%S").to_string();
        let now: i64 = now.parse().unwrap_or(0);
        Ok(now.max(last + 1).to_string())
    }

    /// Returns the version of the migration with this name, if there is one.
    pub(crate) fn version_of(&self, name: &str) -> Result<Option<String>> {
        let ending = format!("_{name}.up.sql");
        for database in &self.databases {
            for file in self.migrations(database)? {
                if let Some(version) = file.strip_suffix(&ending)
                    && version.chars().all(|c| c.is_ascii_digit())
                {
                    return Ok(Some(version.to_owned()));
                }
            }
        }
        Ok(None)
    }

    fn migrations(&self, database: &str) -> Result<Vec<String>> {
        let folder = self.root.join("migrations").join(database);
        let failed = |error| Failure::file("read", &folder, &error);
        let mut names = Vec::new();
        // A new application has no folder yet.
        if !folder.exists() {
            return Ok(names);
        }
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.push(name.to_string_lossy().into_owned());
        }
        Ok(names)
    }

    /// Fails if there is no database to write migrations for.
    pub(crate) fn needs_database(&self) -> Result {
        if self.databases.is_empty() {
            return Err(Failure::new(format!(
                "{} has no folder `migrations/sqlite` or `migrations/postgres`",
                self.root.display()
            ))
            .help("create the folders of the databases that the application uses, and add `.migrations(doyen::migrations!(\"migrations\"))` to its `App`"));
        }
        Ok(())
    }
}

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}
