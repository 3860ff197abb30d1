//! The embedded templates, and how they are rendered.
//!
//! The files in `templates` are written in the syntax of Jinja. Rust files are formatted afterwards
//! with the rustfmt of the toolchain, so that they pass `cargo fmt --check` whatever the names are.

mod context;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::failure::{Failure, Result};

pub(crate) use context::{DomainContext, ProjectContext, SqlColumn, unique_columns};

/// A template: its name, and its text.
macro_rules! templates {
    ($($name:literal: $text:expr,)*) => {
        const TEMPLATES: &[(&str, &str)] = &[$(($name, $text)),*];
    };
}

templates! {
    "domain/api.rs": include_str!("../templates/domain/api.rs.j2"),
    "domain/domain.rs": include_str!("../templates/domain/domain.rs.j2"),
    "domain/domain_tests.rs": include_str!("../templates/domain/domain_tests.rs.j2"),
    "domain/infrastructure.rs": include_str!("../templates/domain/infrastructure.rs.j2"),
    "domain/memory.rs": include_str!("../templates/domain/memory.rs.j2"),
    "domain/mod.rs": include_str!("../templates/domain/mod.rs.j2"),
    "domain/table.up.sql": include_str!("../templates/domain/table.up.sql.j2"),
    "domain/tests.rs": include_str!("../templates/domain/tests.rs.j2"),
    "flat/lib.rs": include_str!("../templates/flat/lib.rs.j2"),
    "flat/postgres.up.sql": include_str!("../templates/flat/postgres.up.sql.j2"),
    "flat/sqlite.up.sql": include_str!("../templates/flat/sqlite.up.sql.j2"),
    "flat/tests.rs": include_str!("../templates/flat/tests.rs.j2"),
    "project/Cargo.toml": include_str!("../templates/project/Cargo.toml.j2"),
    "project/Containerfile": include_str!("../templates/project/Containerfile.j2"),
    "project/README.md": include_str!("../templates/project/README.md.j2"),
    "project/access.rs": include_str!("../templates/project/access.rs.j2"),
    "project/build.rs": include_str!("../templates/project/build.rs.j2"),
    "project/ci.yml": include_str!("../templates/project/ci.yml.j2"),
    "project/clippy.toml": include_str!("../templates/project/clippy.toml.j2"),
    "project/config.base.toml": include_str!("../templates/project/config.base.toml.j2"),
    "project/config.dev.toml": include_str!("../templates/project/config.dev.toml.j2"),
    "project/config.prod.toml": include_str!("../templates/project/config.prod.toml.j2"),
    "project/config.test.toml": include_str!("../templates/project/config.test.toml.j2"),
    "project/containerignore": include_str!("../templates/project/containerignore.j2"),
    "project/editorconfig": include_str!("../templates/project/editorconfig.j2"),
    "project/gitignore": include_str!("../templates/project/gitignore.j2"),
    "project/lib.rs": include_str!("../templates/project/lib.rs.j2"),
    "project/main.rs": include_str!("../templates/project/main.rs.j2"),
    "project/suite_access.rs": include_str!("../templates/project/suite_access.rs.j2"),
    "project/suite_contract.rs": include_str!("../templates/project/suite_contract.rs.j2"),
    "project/suite_main.rs": include_str!("../templates/project/suite_main.rs.j2"),
    "project/suite_support.rs": include_str!("../templates/project/suite_support.rs.j2"),
    "project/vscode.json": include_str!("../templates/project/vscode.json.j2"),
    "users/api.rs": include_str!("../templates/users/api.rs.j2"),
    "users/domain.rs": include_str!("../templates/users/domain.rs.j2"),
    "users/flat.rs": include_str!("../templates/users/flat.rs.j2"),
    "users/infrastructure.rs": include_str!("../templates/users/infrastructure.rs.j2"),
    "users/insert.rs": include_str!("../templates/users/insert.rs.j2"),
    "users/login.rs": include_str!("../templates/users/login.rs.j2"),
    "users/login_body.rs": include_str!("../templates/users/login_body.rs.j2"),
    "users/mod.rs": include_str!("../templates/users/mod.rs.j2"),
    "users/postgres.up.sql": include_str!("../templates/users/postgres.up.sql.j2"),
    "users/register.rs": include_str!("../templates/users/register.rs.j2"),
    "users/row.rs": include_str!("../templates/users/row.rs.j2"),
    "users/shapes.rs": include_str!("../templates/users/shapes.rs.j2"),
    "users/sqlite.up.sql": include_str!("../templates/users/sqlite.up.sql.j2"),
    "users/tests.rs": include_str!("../templates/users/tests.rs.j2"),
}

/// Renders templates.
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    pub(crate) fn new() -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build();
        environment.set_syntax(syntax.map_err(broken)?);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).map_err(broken)?;
        }
        Ok(Self(environment))
    }

    /// Renders a template. Rust is formatted.
    pub(crate) fn render(&self, name: &str, context: &impl Serialize) -> Result<String> {
        let template = self.0.get_template(name).map_err(broken)?;
        let text = template.render(Serde(context)).map_err(broken)?;
        if Path::new(name).extension().is_some_and(|kind| kind == "rs") {
            return format(&text);
        }
        Ok(text)
    }
}

fn broken(error: minijinja::Error) -> Failure {
    Failure::new(format!("a template of `doyen` is broken: {error:#}"))
}

/// Formats Rust with rustfmt and the default style.
fn format(text: &str) -> Result<String> {
    let failed = |why: String| {
        Failure::new(format!("rustfmt {why}"))
            .help("install it with `rustup component add rustfmt`; it formats what is generated")
    };
    let program = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let mut child = Command::new(program)
        .args(["--edition", "2024", "--quiet"])
        // Settings of the application must not change what the generator compares.
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let mut input = child.stdin.take();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || {
        if let Some(input) = &mut input {
            // A program that ends early is reported by its exit code.
            let _ = input.write_all(text.as_bytes());
        }
    });
    let output = child
        .wait_with_output()
        .map_err(|error| failed(format!("failed: {error}")))?;
    // The thread has nothing to return.
    let _ = writer.join();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("failed: {}", errors.trim())));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(format!("wrote no text: {error}")))
}
