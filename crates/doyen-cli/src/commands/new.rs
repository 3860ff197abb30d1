//! `doyen new`: an application that passes its own gate.

use std::path::{Path, PathBuf};

use super::domain::Spec;
use super::migration;
use crate::args::New;
use crate::changes::Changes;
use crate::failure::{Failure, Result, say};
use crate::field::Field;
use crate::names;
use crate::project::{DATABASES, Project};
use crate::templates::{ProjectContext, Templates};

/// Names that a crate cannot have, because another one that it uses has them.
const TAKEN: [&str; 8] = [
    "alloc",
    "core",
    "doyen",
    "doyen-test",
    "proc-macro",
    "std",
    "test",
    "tests",
];

/// The fields of the example domain. With accounts it has an owner, too.
const NOTE: [&str; 2] = ["title:text", "body:text?"];

pub(super) fn run(args: &New) -> Result {
    let name = name_of(&args.folder)?;
    let is_empty = match std::fs::read_dir(&args.folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !args.folder.exists(),
    };
    if !is_empty {
        return Err(
            Failure::new(format!("{} exists and is not empty", args.folder.display()))
                .help("choose another folder"),
        );
    }
    let context = context(args, &name)?;
    let mut changes = Changes::new(&args.folder);
    files(&context, &args.folder, &mut changes)?;
    changes.apply(false)?;
    say(&format!(
        "\nNext:\n\n  cd {}\n  cargo run     # http://127.0.0.1:8000/docs\n  cargo test",
        args.folder.display()
    ));
    if args.path.is_none() {
        let version = env!("CARGO_PKG_VERSION");
        say(&format!(
            "\nDoyen {version} must be published for that. Until it is, create the application with `--path <checkout of Doyen>`."
        ));
    }
    Ok(())
}

/// Returns the name of the crate.
fn name_of(folder: &Path) -> Result<String> {
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let word = name.replace('-', "_");
    if TAKEN.contains(&name.as_str()) {
        return Err(Failure::usage(format!(
            "`{name}` is the name of another crate: choose another one, such as `my-{name}`"
        )));
    }
    names::check(&word).map_err(|_| {
        Failure::usage(format!("`{name}` cannot be the name of an application")).help(
            "write lower-case letters, digits and `-`, beginning with a letter, and no keyword: `my-shop`",
        )
    })?;
    Ok(name)
}

fn context(args: &New, name: &str) -> Result<ProjectContext> {
    let has_accounts = !args.no_accounts;
    let subject = names::pascal(name);
    let dependency = |krate: &str| match &args.path {
        Some(checkout) => Ok(format!("path = {:?}", crate_folder(checkout, krate)?)),
        None => {
            let version = env!("CARGO_PKG_VERSION");
            Ok(format!("version = {version:?}"))
        }
    };
    Ok(ProjectContext {
        crate_name: name.replace('-', "_"),
        title: names::title(name),
        client: if has_accounts { "Person" } else { &subject }.to_owned(),
        subject,
        accounts: has_accounts,
        postgres: args.postgres,
        flat: args.flat,
        doyen: dependency("doyen")?,
        doyen_test: dependency("doyen-test")?,
        checkout: args.path.as_deref().map(absolute).transpose()?,
        rust_version: env!("CARGO_PKG_RUST_VERSION").to_owned(),
        user: "app".to_owned(),
        visibility: if args.flat { "" } else { "pub(super) " },
        read: if has_accounts {
            "Scope::NotesRead"
        } else {
            "anyone"
        },
        write: if has_accounts {
            "Scope::NotesWrite"
        } else {
            "anyone"
        },
        name: name.to_owned(),
    })
}

/// Returns the absolute path of a crate in a checkout.
fn crate_folder(checkout: &Path, krate: &str) -> Result<PathBuf> {
    let folder = checkout.join("crates").join(krate);
    if !folder.join("Cargo.toml").is_file() {
        return Err(Failure::usage(format!(
            "{} is no checkout of Doyen: {} does not exist",
            checkout.display(),
            folder.join("Cargo.toml").display()
        )));
    }
    absolute(&folder)
}

fn absolute(folder: &Path) -> Result<PathBuf> {
    folder
        .canonicalize()
        .map_err(|error| Failure::file("resolve", folder, &error))
}

/// Adds every file.
fn files(context: &ProjectContext, root: &Path, changes: &mut Changes) -> Result {
    let templates = Templates::new()?;
    for (template, path) in list(context) {
        changes.create(path, templates.render(template, context)?)?;
    }
    let project = Project {
        root: root.to_path_buf(),
        crate_name: context.crate_name.clone(),
        databases: DATABASES[..if context.postgres { 2 } else { 1 }].to_vec(),
        has_accounts: context.accounts,
    };
    let version = project.next_version()?;
    if context.accounts {
        for database in &project.databases {
            let up = templates.render(&format!("users/{database}.up.sql"), context)?;
            let down = "DROP TABLE users;\n".to_owned();
            migration::add(changes, database, &version, "users", up, down)?;
        }
    }
    // The example comes after the users, to whom it refers.
    let version = migration::following(&version);
    if context.flat {
        for database in &project.databases {
            let up = templates.render(&format!("flat/{database}.up.sql"), context)?;
            let down = "DROP TABLE notes;\n".to_owned();
            migration::add(changes, database, &version, "notes", up, down)?;
        }
        return Ok(());
    }
    let owner = context.accounts.then_some("owner:ref(users)");
    let fields = owner.into_iter().chain(NOTE);
    let fields = fields.map(|field| field.parse().map_err(Failure::new));
    let fields = fields.collect::<Result<Vec<Field>>>()?;
    Spec::new(&project, "notes", "note", fields)?.add(&project, &version, changes)
}

/// The templates of an application, and the files that they become.
fn list(context: &ProjectContext) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![
        ("project/Cargo.toml", "Cargo.toml"),
        ("project/build.rs", "build.rs"),
        ("project/clippy.toml", "clippy.toml"),
        ("project/README.md", "README.md"),
        ("project/Containerfile", "Containerfile"),
        ("project/containerignore", ".containerignore"),
        ("project/containerignore", ".dockerignore"),
        ("project/gitignore", ".gitignore"),
        ("project/editorconfig", ".editorconfig"),
        ("project/vscode.json", ".vscode/settings.json"),
        ("project/ci.yml", ".github/workflows/ci.yml"),
        ("project/config.base.toml", "config/base.toml"),
        ("project/config.dev.toml", "config/dev.toml"),
        ("project/config.test.toml", "config/test.toml"),
        ("project/config.prod.toml", "config/prod.toml"),
        ("project/main.rs", "src/main.rs"),
        ("project/suite_main.rs", "tests/suite/main.rs"),
        ("project/suite_support.rs", "tests/suite/support.rs"),
        ("project/suite_contract.rs", "tests/suite/contract.rs"),
    ];
    if context.flat {
        all.push(("flat/lib.rs", "src/lib.rs"));
        all.push(("flat/tests.rs", "tests/suite/notes.rs"));
    } else {
        all.push(("project/lib.rs", "src/lib.rs"));
    }
    if context.accounts {
        all.push(("project/access.rs", "src/access.rs"));
        all.push(("project/suite_access.rs", "tests/suite/access.rs"));
        all.push(("users/tests.rs", "tests/suite/users.rs"));
        let users: &[_] = match context.flat {
            true => &[("users/flat.rs", "src/users.rs")],
            false => &[
                ("users/mod.rs", "src/users/mod.rs"),
                ("users/api.rs", "src/users/api.rs"),
                ("users/domain.rs", "src/users/domain.rs"),
                ("users/infrastructure.rs", "src/users/infrastructure.rs"),
                ("users/login.rs", "src/users/infrastructure/login.rs"),
            ],
        };
        all.extend(users);
    }
    all
}
