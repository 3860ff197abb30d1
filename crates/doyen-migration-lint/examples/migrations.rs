//! An application whose migrations are read from a folder when it starts: that of the variable
//! `LAB_MIGRATIONS`. The tests of the linter run its commands.

use std::path::Path;

use doyen::data::{Migration, Migrations};
use doyen::prelude::*;

fn main() -> std::process::ExitCode {
    let folder: &'static str = std::env::var("LAB_MIGRATIONS").unwrap_or_default().leak();
    doyen::run(App::new("lab").migrations(Migrations {
        sqlite: read(&Path::new(folder).join("sqlite")),
        postgres: read(&Path::new(folder).join("postgres")),
        folder: Some(folder),
    }))
}

/// Reads the files `<version>_<name>.{up,down}.sql`. The process ends soon, so they are leaked.
fn read(folder: &Path) -> &'static [Migration] {
    let text = |path: &Path| -> &'static str {
        let text = std::fs::read_to_string(path);
        text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .leak()
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut migrations: Vec<Migration> = entries
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            let (version, name) = file.strip_suffix(".up.sql")?.split_once('_')?;
            Some(Migration {
                version: version.parse().ok()?,
                name: name.to_owned().leak(),
                up: text(&entry.path()),
                down: text(&folder.join(format!("{version}_{name}.down.sql"))),
            })
        })
        .collect();
    migrations.sort_by_key(|migration| migration.version);
    migrations.leak()
}
