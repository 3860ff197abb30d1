//! A migration as the linter reads it.

use std::path::Path;

use doyen_data::sea_orm::DbBackend;
use doyen_data::{Migration, Migrations};

/// The two files of a migration.
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// The SQL that applies it.
    pub up: &'a str,
    /// The SQL that reverts it.
    pub down: &'a str,
    /// The database.
    pub backend: DbBackend,
    /// Path of the files, without the ending: `migrations/postgres/20261122093000_tickets`.
    pub path: String,
}

impl<'a> File<'a> {
    /// Takes a migration of a set. Without files of its own, it is named by the owner of the set.
    pub fn new(
        owner: &str,
        set: &Migrations,
        backend: DbBackend,
        migration: &'a Migration,
    ) -> Self {
        let folder = set.folder.map_or_else(|| owner.to_owned(), shown);
        let database = match backend {
            DbBackend::Sqlite => "sqlite",
            _ => "postgres",
        };
        let Migration { version, name, .. } = migration;
        Self {
            up: migration.up,
            down: migration.down,
            backend,
            path: format!("{folder}/{database}/{version}_{name}"),
        }
    }

    pub(crate) fn path(&self, way: &str) -> String {
        format!("{}.{way}.sql", self.path)
    }
}

/// Returns a folder relative to the current one, as an editor opens it. On a machine without the
/// source only its name is left.
fn shown(folder: &str) -> String {
    let folder = Path::new(folder);
    let here = std::env::current_dir().unwrap_or_default();
    let shown = match folder.strip_prefix(&here) {
        Ok(below) => below,
        Err(_) if folder.is_dir() => folder,
        Err(_) => folder.file_name().map_or(folder, Path::new),
    };
    shown.display().to_string()
}
