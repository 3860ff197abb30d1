//! Compares embedded migrations with the folder that they come from.
//!
//! The compiler does not notice a new file in a folder, so a program may lack a migration that its
//! source has.

use std::path::Path;

use super::{Migration, MigrationError, Migrations};

impl Migrations {
    /// Checks that the program contains every migration of its folder, if this machine has the
    /// folder. For development and tests.
    ///
    /// # Errors
    ///
    /// Returns an error that names the files that are missing.
    pub fn check_folder(&self) -> Result<(), MigrationError> {
        let Some(folder) = self.folder else {
            return Ok(());
        };
        let mut missing = not_embedded(folder, "sqlite", self.sqlite);
        missing.extend(not_embedded(folder, "postgres", self.postgres));
        if missing.is_empty() {
            Ok(())
        } else {
            Err(MigrationError::not_embedded(folder, &missing))
        }
    }
}

/// Returns the files that bring a migration and are not embedded.
fn not_embedded(folder: &str, backend: &str, embedded: &[Migration]) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(Path::new(folder).join(backend)) else {
        return Vec::new();
    };
    let files = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut missing: Vec<String> = files
        .filter(|file| {
            let name = file
                .strip_suffix(".up.sql")
                .and_then(|name| name.split_once('_'));
            name.is_some_and(|(version, name)| {
                let known =
                    |one: &Migration| one.name == name && version.parse() == Ok(one.version);
                !embedded.iter().any(known)
            })
        })
        .map(|file| format!("{backend}/{file}"))
        .collect();
    missing.sort();
    missing
}
