//! Backups of a database, and the way back.
//!
//! A backup is one file: on SQLite a database, on PostgreSQL an archive of `pg_dump`. It is made
//! while the application runs, and it is opened before it gets its name: a file of that name is
//! complete.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::error::Error;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::DatabaseOptions;

/// An error of a backup: what is wrong, and what to do.
#[derive(Debug)]
pub struct BackupError {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl BackupError {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            source: None,
        }
    }

    fn caused_by(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            what: what.into(),
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for BackupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Writes a backup to a new file, which only its owner may read. Returns its size in bytes.
///
/// The application may serve meanwhile. PostgreSQL needs `pg_dump` and `pg_restore`, at least as
/// new as the server.
///
/// # Errors
///
/// Returns an error if the file exists, if the database cannot be read, or if the backup cannot be
/// opened. Then there is no file.
pub async fn backup(options: &DatabaseOptions, file: &Path) -> Result<u64, BackupError> {
    if file.exists() {
        return Err(BackupError::new(format!(
            "`{}` exists, and a backup never replaces a file. Choose another name",
            file.display()
        )));
    }
    let part = Part::create(file)?;
    match kind(options)? {
        #[cfg(feature = "sqlite")]
        Kind::Sqlite => sqlite::backup(options, &part.path).await?,
        #[cfg(feature = "postgres")]
        Kind::Postgres => postgres::backup(options, &part.path)?,
    }
    part.publish(file)
}

/// Restores a backup. The application must not run. Returns the path of the former database, if
/// there was one and it was kept.
///
/// With `replace`, a database that has tables is replaced: on SQLite its file gets another name, on
/// PostgreSQL its schema is dropped in the same transaction.
///
/// # Errors
///
/// Returns an error if the backup is damaged, if the database has tables and `replace` is false, or
/// if another connection uses the database. The database is then as before.
pub async fn restore(
    options: &DatabaseOptions,
    file: &Path,
    replace: bool,
) -> Result<Option<PathBuf>, BackupError> {
    if !file.is_file() {
        return Err(BackupError::new(format!(
            "there is no file `{}`",
            file.display()
        )));
    }
    match kind(options)? {
        #[cfg(feature = "sqlite")]
        Kind::Sqlite => sqlite::restore(options, file, replace).await,
        #[cfg(feature = "postgres")]
        Kind::Postgres => postgres::restore(options, file, replace).await,
    }
}

enum Kind {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

fn kind(options: &DatabaseOptions) -> Result<Kind, BackupError> {
    match options.url.split_once(':').map_or("", |(scheme, _)| scheme) {
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(Kind::Sqlite),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Kind::Postgres),
        scheme => Err(BackupError::new(format!(
            "this program was built without the database `{scheme}`"
        ))),
    }
}

/// Returned if the database has tables and may not be replaced.
fn not_empty() -> BackupError {
    BackupError::new(
        "the database has tables, and restoring replaces all of them. To do it, repeat the command with `--replace`",
    )
}

/// Returned if another connection uses the database.
fn in_use() -> BackupError {
    BackupError::new("another process uses the database. Stop the application first")
}

/// A file that is being written. It is deleted unless it is published.
struct Part {
    path: PathBuf,
}

impl Part {
    fn create(file: &Path) -> Result<Self, BackupError> {
        let mut name = file.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(|error| {
            BackupError::caused_by(
                format!(
                    "cannot create `{}`. If an earlier run was killed, delete the file",
                    path.display()
                ),
                error,
            )
        })?;
        Ok(Self { path })
    }

    /// Gives the file its name once it is on the disk. Returns its size.
    fn publish(self, file: &Path) -> Result<u64, BackupError> {
        let failed = |error| {
            BackupError::caused_by(format!("cannot write `{}`", self.path.display()), error)
        };
        let open = File::open(&self.path).map_err(failed)?;
        open.sync_all().map_err(failed)?;
        let bytes = open.metadata().map_err(failed)?.len();
        fs::rename(&self.path, file).map_err(failed)?;
        sync_folder_of(file).map_err(failed)?;
        Ok(bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After `publish` there is none. Nothing can be done about a failure.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a rename in the folder of this file durable.
fn sync_folder_of(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
