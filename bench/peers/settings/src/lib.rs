//! What the runner of the bench tells a contestant, by environment variables.

use std::{env, net::SocketAddr, path::PathBuf};

/// Which database to ask, and where it is.
pub enum Database {
    Postgres { url: String },
    Sqlite { path: PathBuf },
}

/// Connections to PostgreSQL, or readers of SQLite.
pub const POOL: usize = 8;

/// The address to listen on: the loopback and `PORT`.
pub fn address() -> SocketAddr {
    let port = required("PORT")
        .parse()
        .expect("PORT is a number below 65536");
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// `DATABASE_URL`: `postgres://..` or `sqlite:///absolute/path.db`. None when it is not set: then
/// no case with a database is asked.
pub fn database() -> Option<Database> {
    let url = env::var("DATABASE_URL").ok()?;
    Some(match url.strip_prefix("sqlite://") {
        Some(path) => Database::Sqlite { path: path.into() },
        None => Database::Postgres { url },
    })
}

/// A variable without which the contestant cannot start.
pub fn required(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}
