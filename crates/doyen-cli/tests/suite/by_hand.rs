//! One more field that is written by hand, with the migration from the entity; and changes of a
//! database by hand, past the application.

use std::path::{Path, PathBuf};

use doyen_data::sea_orm::{ConnectionTrait as _, Database};

/// The server of the tests.
pub(crate) fn postgres_server() -> String {
    std::env::var("DOYEN_TEST_POSTGRES_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// Adds a field next to one of the same type, as a person does it: a line below each line with its
/// name. Returns the number of edits and of files.
pub(crate) fn add_field(source: &Path, like: &str, name: &str) -> (usize, usize) {
    let (mut edits, mut files) = (0, 0);
    for path in rust_files(source) {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = Vec::new();
        for line in text.lines() {
            lines.push(line.to_owned());
            if words(line).any(|word| word == like) && !line.trim_start().starts_with("//") {
                lines.push(line.replace(like, name));
            }
        }
        let count = lines.len() - text.lines().count();
        if count > 0 {
            std::fs::write(&path, lines.join("\n") + "\n").unwrap();
            files += 1;
        }
        edits += count;
    }
    (edits, files)
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
}

fn rust_files(source: &Path) -> Vec<PathBuf> {
    if source.is_file() {
        return vec![source.to_path_buf()];
    }
    let entries = std::fs::read_dir(source).unwrap();
    let mut found: Vec<PathBuf> = entries
        .flat_map(|entry| rust_files(&entry.unwrap().path()))
        .collect();
    found.sort();
    found
}

/// Returns the text of the migration with this name, in one direction.
pub(crate) fn migration(application: &Path, database: &str, name: &str, way: &str) -> String {
    let folder = application.join("migrations").join(database);
    let ending = format!("_{name}.{way}.sql");
    let mut entries = std::fs::read_dir(&folder).unwrap();
    let path = entries.find_map(|entry| {
        let path = entry.unwrap().path();
        path.to_str().unwrap().ends_with(&ending).then_some(path)
    });
    let path = path.unwrap_or_else(|| panic!("no `..{ending}` in {}", folder.display()));
    std::fs::read_to_string(path).unwrap()
}

/// Runs SQL in a database, past the application that uses it.
pub(crate) fn run_sql(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let connection = Database::connect(url).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// A database on the server of the tests, dropped at the end.
pub(crate) struct PostgresDatabase(String);

impl PostgresDatabase {
    pub(crate) fn new() -> Self {
        let name = format!("doyen_cli_{}", std::process::id());
        // A process of the same id may have left one.
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        for sql in [drop, format!("CREATE DATABASE {name}")] {
            run_sql(&postgres_server(), &sql);
        }
        Self(name)
    }

    pub(crate) fn url(&self) -> String {
        let server = postgres_server();
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.0)
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0);
        run_sql(&postgres_server(), &drop);
    }
}
