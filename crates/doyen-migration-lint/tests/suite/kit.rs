//! A program with migrations of its own.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::App;
use doyen_test::{Backend, Ended, Program, Subject, TestApp};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder of migrations, and a program that embeds them. Removed at the end.
pub(crate) struct Lab {
    folder: PathBuf,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doyen-migration-lint-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        for database in ["sqlite", "postgres"] {
            std::fs::create_dir_all(folder.join(database)).unwrap();
        }
        Self { folder }
    }

    /// Writes a migration. Its name is `m`.
    pub(crate) fn write(&self, database: &str, version: usize, up: &str, down: &str) {
        for (way, sql) in [("up", up), ("down", down)] {
            let file = format!("{database}/{version}_m.{way}.sql");
            std::fs::write(self.folder.join(file), sql).unwrap();
        }
    }

    pub(crate) fn program(&self, environment: &str, url: &str, words: &[&str]) -> Program {
        let tests = std::env::current_exe().unwrap();
        let folder = tests.parent().and_then(|deps| deps.parent()).unwrap();
        let path = folder.join("examples/migrations");
        let program = Program::new(path.to_str().unwrap())
            .env("LAB_MIGRATIONS", self.folder.to_str().unwrap())
            .env("APP_ENV", environment)
            .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
            .env("APP_AUTH__ISSUER", "https://api.example.com")
            .env("APP_SERVER__BIND", "127.0.0.1:0")
            .env("APP_ADMIN__BIND", "127.0.0.1:0")
            .env("DATABASE_URL", url);
        words
            .iter()
            .fold(program, |program, word| program.arg(word))
    }

    /// Runs `migrate lint`.
    pub(crate) fn lints(&self, words: &[&str]) -> Ended {
        let words = [&["migrate", "lint"], words].concat();
        self.program("test", "sqlite://data/unused.db", &words)
            .run()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The application of the program, without migrations of its own: a fresh database.
pub(crate) struct LabApp(TestApp);

impl Subject for LabApp {
    fn app() -> App {
        App::new("lab")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for LabApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// Returns the folder of the migrations for the database of a test.
pub(crate) fn database(app: &TestApp) -> &'static str {
    match app.backend() {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgres",
    }
}

#[track_caller]
pub(crate) fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}
