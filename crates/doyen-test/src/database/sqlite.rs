//! SQLite: a folder for each test, with the database and a locked file.

use std::fs::{File, TryLockError};
use std::future::Future;
use std::path::{Path, PathBuf};

use doyen::data::sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbErr};

/// The folder of one test.
pub(super) struct Folder {
    path: PathBuf,
    // Locked while the test runs.
    _alive: File,
}

impl Folder {
    pub(super) async fn copy<Fut: Future<Output = ()>>(
        template: &str,
        test: &str,
        own: &str,
        migrate: impl FnOnce(String) -> Fut,
    ) -> Self {
        let root = std::env::temp_dir().join("doyen-test");
        create(&root);
        let template = ready(&root, template, migrate).await;
        sweep(&root, test);
        let path = root.join(format!("{test}_{own}"));
        create(&path);
        let alive = open(&path.join("alive"));
        fine(alive.lock(), &path);
        let folder = Self {
            path,
            _alive: alive,
        };
        fine(std::fs::copy(&template, folder.file()), &template);
        folder
    }

    fn file(&self) -> PathBuf {
        self.path.join("test.db")
    }

    pub(super) fn url(&self) -> String {
        url(&self.file())
    }

    pub(super) fn remove(self) {
        fine(std::fs::remove_dir_all(&self.path), &self.path);
    }
}

/// The migrated template. The first test creates it, while the others wait.
async fn ready<Fut: Future<Output = ()>>(
    root: &Path,
    name: &str,
    migrate: impl FnOnce(String) -> Fut,
) -> PathBuf {
    let done = root.join(format!("{name}.db"));
    if done.exists() {
        return done;
    }
    let lock = open(&root.join(format!("{name}.lock")));
    fine(lock.lock(), &done);
    if !done.exists() {
        let building = root.join(format!("{name}.building"));
        if building.exists() {
            fine(std::fs::remove_dir_all(&building), &building);
        }
        create(&building);
        let file = building.join("template.db");
        migrate(url(&file)).await;
        settle(&file).await;
        // The file is complete or absent.
        fine(std::fs::rename(&file, &done), &file);
        fine(std::fs::remove_dir_all(&building), &building);
    }
    done
}

/// Moves everything into the one file: a part may still be in the write-ahead log.
async fn settle(file: &Path) {
    let failed = |error: DbErr| -> DatabaseConnection { panic!("{}: {error}", file.display()) };
    let database = Database::connect(url(file)).await.unwrap_or_else(failed);
    let log = || std::fs::metadata(file.with_extension("db-wal")).map_or(0, |log| log.len());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    // A connection that is still closing prevents the truncation.
    while log() > 0 {
        if let Err(error) = database
            .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
            .await
        {
            failed(error);
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{}: {} bytes are left in its write-ahead log",
            file.display(),
            log()
        );
    }
    let _ = database.close().await;
}

/// Removes the folders of earlier runs of this test.
fn sweep(root: &Path, test: &str) {
    for entry in fine(std::fs::read_dir(root), root).flatten() {
        if !entry.file_name().to_string_lossy().starts_with(test) {
            continue;
        }
        let path = entry.path();
        let alive = File::open(path.join("alive"))
            .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        if !alive {
            // Another process may remove it too.
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

fn create(folder: &Path) {
    fine(std::fs::create_dir_all(folder), folder);
}

fn open(path: &Path) -> File {
    fine(File::options().create(true).append(true).open(path), path)
}

fn fine<T>(result: std::io::Result<T>, path: &Path) -> T {
    result.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
