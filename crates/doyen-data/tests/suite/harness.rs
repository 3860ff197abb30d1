//! A fresh database for each test, on both kinds. Dropped on success, kept on failure.

use std::sync::atomic::{AtomicU32, Ordering};

use doyen_data::sea_orm::{ConnectionTrait as _, DbBackend};
use doyen_data::{Database, DatabaseOptions, Migration, Migrations, Migrator, Pooler};

use crate::pgbouncer::PgBouncer;

/// Runs the body on SQLite and on PostgreSQL; the body gets a [`Fresh`].
macro_rules! both {
    ($(#[$doc:meta])* async fn $name:ident($fresh:ident) $body:block) => {
        crate::harness::on! {
            [on_sqlite: sqlite, on_postgres: postgres]
            $(#[$doc])* async fn $name($fresh) $body
        }
    };
}
pub(crate) use both;

/// Like [`both`], and in addition through a PgBouncer in transaction mode.
macro_rules! everywhere {
    ($(#[$doc:meta])* async fn $name:ident($fresh:ident) $body:block) => {
        crate::harness::on! {
            [on_sqlite: sqlite, on_postgres: postgres, through_pgbouncer: pgbouncer]
            $(#[$doc])* async fn $name($fresh) $body
        }
    };
}
pub(crate) use everywhere;

macro_rules! on {
    ([$($test:ident: $kind:ident),*] $(#[$doc:meta])* async fn $name:ident($fresh:ident) $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($fresh: &crate::harness::Fresh) $body

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let fresh = crate::harness::Fresh::$kind().await;
                    body(&fresh).await;
                    fresh.drop().await;
                }
            )*
        }
    };
}
pub(crate) use on;

static NEXT: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Fresh {
    pub(crate) database: Database,
    pub(crate) url: String,
    pub(crate) name: String,
    folder: Option<std::path::PathBuf>,
    bouncer: Option<PgBouncer>,
}

impl Fresh {
    pub(crate) async fn sqlite() -> Self {
        let name = name();
        let folder = std::env::temp_dir().join(&name);
        let url = format!("sqlite://{}/test.db", folder.display());
        Self {
            database: open(&options(&url)).await,
            url,
            name,
            folder: Some(folder),
            bouncer: None,
        }
    }

    pub(crate) async fn postgres() -> Self {
        let name = create().await;
        let url = server_url()
            .rsplit_once('/')
            .map(|(server, _)| format!("{server}/{name}"))
            .unwrap();
        Self {
            database: open(&options(&url)).await,
            url,
            name,
            folder: None,
            bouncer: None,
        }
    }

    /// PostgreSQL through a PgBouncer in transaction mode.
    pub(crate) async fn pgbouncer() -> Self {
        let name = create().await;
        let bouncer = PgBouncer::start("transaction", "extra_float_digits").await;
        let url = bouncer.url(&name);
        Self {
            database: open(&pooled(&url)).await,
            url,
            name,
            folder: None,
            bouncer: Some(bouncer),
        }
    }

    pub(crate) fn options(&self) -> DatabaseOptions {
        match self.bouncer {
            Some(_) => pooled(&self.url),
            None => options(&self.url),
        }
    }

    /// Another process, as far as the database can tell.
    pub(crate) async fn another(&self) -> Database {
        open(&self.options()).await
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.database.backend() == DbBackend::Postgres
    }

    pub(crate) async fn migrated(&self) {
        Migrator::new(&self.database, TABLES).up().await.unwrap();
    }

    pub(crate) async fn drop(self) {
        self.database.close().await;
        match &self.folder {
            Some(folder) => std::fs::remove_dir_all(folder).unwrap(),
            None => maintenance(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await,
        }
    }
}

/// Creates an empty database on PostgreSQL, and returns its name.
async fn create() -> String {
    let name = name();
    // A process of the same id may have left one.
    maintenance(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    maintenance(&format!("CREATE DATABASE {name}")).await;
    name
}

fn name() -> String {
    format!(
        "doyen_data_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

pub(crate) fn options(url: &str) -> DatabaseOptions {
    // Durability is not needed.
    DatabaseOptions {
        synchronous: doyen_data::Synchronous::Normal,
        ..DatabaseOptions::new(url)
    }
}

fn pooled(url: &str) -> DatabaseOptions {
    DatabaseOptions {
        pooler: Pooler::Transaction,
        ..options(url)
    }
}

async fn open(options: &DatabaseOptions) -> Database {
    Database::connect(options)
        .await
        .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) fn server_url() -> String {
    std::env::var("DOYEN_TEST_POSTGRES_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// Runs a statement that is not possible in a transaction, on the database `postgres`.
pub(crate) async fn maintenance(sql: &str) {
    use doyen_data::sea_orm::Database as Plain;
    let connection = Plain::connect(server_url())
        .await
        .expect("PostgreSQL must be there: see DOYEN_TEST_POSTGRES_URL");
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

pub(crate) const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "shop",
        up: "CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL, CONSTRAINT customers_email_key UNIQUE (email)) STRICT;
CREATE TABLE tickets (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id) DEFERRABLE INITIALLY DEFERRED,
    subject text NOT NULL,
    rank integer NOT NULL,
    note text,
    version integer NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL) STRICT;",
        down: "DROP TABLE counters; DROP TABLE tickets; DROP TABLE customers;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "shop",
        up: "CREATE TABLE customers (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, email text NOT NULL CONSTRAINT customers_email_key UNIQUE);
CREATE TABLE tickets (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id) DEFERRABLE INITIALLY DEFERRED,
    subject text NOT NULL,
    rank bigint NOT NULL,
    note text,
    version bigint NOT NULL DEFAULT 1
);
CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL);",
        down: "DROP TABLE counters; DROP TABLE tickets; DROP TABLE customers;",
    }],
};
