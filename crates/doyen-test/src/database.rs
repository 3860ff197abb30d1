//! A fresh database for each test, copied from a template that is migrated once.
//!
//! - The name of the template contains a hash of the migrations: another schema is another
//!   template, and no cleanup is needed.
//! - A lock that ends with the process is held while a test runs. A database without a lock is left
//!   over from a run that failed or was killed, and the next run of the same test removes it.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::Overrides;
use doyen::domain::chain;
use doyen::settings::{Environment, Loader};

use crate::Subject;

/// The kind of database that a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file in the temporary folder.
    Sqlite,
    /// A database on the server at `DOYEN_TEST_POSTGRES_URL`.
    Postgres,
}

/// The database of one test.
pub(crate) struct Place {
    pub(crate) backend: Backend,
    url: String,
    held: Held,
}

enum Held {
    Sqlite(sqlite::Folder),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Copy>),
}

impl Place {
    /// A copy of the migrated template.
    pub(crate) async fn fresh<S: Subject>(backend: Backend, test: &str) -> Self {
        let app = S::app();
        let template = format!("{}_{}", word(app.name()), &app.schema_fingerprint()[..16]);
        let test = format!("{:016x}", hash(&(test, std::env::current_dir().ok())));
        let own = format!(
            "{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let (url, held) = match backend {
            Backend::Sqlite => {
                let folder = sqlite::Folder::copy(&template, &test, &own, migrate::<S>).await;
                (folder.url(), Held::Sqlite(folder))
            }
            #[cfg(not(feature = "postgres"))]
            Backend::Postgres => {
                panic!("a test on PostgreSQL needs the feature `postgres` of `doyen-test`")
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres => {
                let copy = postgres::Copy::make(&template, &test, &own, migrate::<S>).await;
                (copy.url(), Held::Postgres(Box::new(copy)))
            }
        };
        Self { backend, url, held }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Removes it: the test succeeded.
    pub(crate) async fn remove(self) {
        match self.held {
            Held::Sqlite(folder) => folder.remove(),
            #[cfg(feature = "postgres")]
            Held::Postgres(copy) => copy.remove().await,
        }
    }
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The root secret of every application under test. A program on the database of a test needs it
/// too.
pub const SIGNING_KEY: &str = "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc";

/// Settings of a test, independent of the environment of the process.
pub(crate) fn loader(url: &str) -> Loader {
    Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .folder("config")
        .set("database.url", url)
        // A test sends more requests from one address than a real client. Tests of limits set their
        // own.
        .set_if_known("limits.default", "1000000/1s")
        .set_if_known("limits.anonymous", "1000000/1s")
        // Durability is not needed.
        .set("database.synchronous", "normal")
        .set("auth.signing_key", SIGNING_KEY)
}

/// Migrates an empty database.
async fn migrate<S: Subject>(url: String) {
    let built = S::app()
        .build(loader(&url), Overrides::default())
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    built
        .connect()
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    if let Err(error) = built.migrator().up().await {
        panic!("the migrations fail: {}", chain(&error));
    }
    built.database().close().await;
}

/// Encodes text for the name of a database and of a file.
fn word(name: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().take(20).map(fit).collect()
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
