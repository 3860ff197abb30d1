//! Plugins: their order, their mistakes, their lifecycle, and what is left when one is removed.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod health;
mod mistakes;
mod names;
mod order;
mod process;
mod replace;
mod route_memory;
mod settings;
mod tables;

use doyen::settings::{Environment, Loader};

/// Settings of a test: a database file below the folder of the test.
pub(crate) fn loader(name: &str) -> Loader {
    Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set(
            "database.url",
            format!("sqlite://{}/a.db", folder(name).display()),
        )
        .set("auth.signing_key", doyen_test::SIGNING_KEY)
}

pub(crate) fn folder(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("doyen-plugins-{name}-{}", std::process::id()))
}
