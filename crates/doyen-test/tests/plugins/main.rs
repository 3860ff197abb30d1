//! Plugins: their order, their mistakes, their lifecycle, and their removal.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod contract;
mod health;
mod mistakes;
mod names;
mod order;
mod process;
mod replace;
mod requests;
mod route_memory;
mod settings;
mod start;
mod tables;

use doyen::settings::{Environment, Loader};

/// Settings of a test: a database file in the folder of the test.
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
