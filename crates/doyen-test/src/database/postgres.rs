//! PostgreSQL: a database for each test, copied by the server.

use std::future::Future;

use doyen::data::sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement,
};

/// The database of one test.
pub(super) struct Copy {
    // One connection: it holds the lock of the name while the test runs.
    admin: Admin,
    name: String,
}

impl Copy {
    pub(super) async fn make<Fut: Future<Output = ()>>(
        template: &str,
        test: &str,
        own: &str,
        migrate: impl FnOnce(String) -> Fut,
    ) -> Self {
        let admin = Admin::connect().await;
        let template = format!("doyen_template_{template}");
        admin.ready(&template, migrate).await;
        admin.sweep(&format!("doyen\\_test\\_{test}\\_%")).await;
        let name = format!("doyen_test_{test}_{own}");
        admin
            .ask(&format!("SELECT pg_advisory_lock({})", key(&name)))
            .await;
        admin
            .run(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await;
        admin
            .ask(&format!(
                "SELECT pg_advisory_unlock_shared({})",
                key(&template)
            ))
            .await;
        // Durability is not needed.
        admin
            .run(&format!(
                "ALTER DATABASE {name} SET synchronous_commit = off"
            ))
            .await;
        Self { admin, name }
    }

    pub(super) fn url(&self) -> String {
        url_of(&self.name)
    }

    pub(super) async fn remove(self) {
        self.admin
            .run(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await;
    }
}

/// Opens a connection to the database `postgres`.
struct Admin(DatabaseConnection);

impl Admin {
    async fn connect() -> Self {
        let mut options = ConnectOptions::new(server());
        options.max_connections(1).sqlx_logging(false);
        match Database::connect(options).await {
            Ok(connection) => Self(connection),
            Err(error) => panic!(
                "the tests need a PostgreSQL server at {} (set DOYEN_TEST_POSTGRES_URL for another one): {error}",
                server()
            ),
        }
    }

    /// Creates the template if it is missing; afterwards its lock is held shared, so that it is not
    /// dropped.
    async fn ready<Fut: Future<Output = ()>>(
        &self,
        template: &str,
        migrate: impl FnOnce(String) -> Fut,
    ) {
        let key = key(template);
        self.ask(&format!("SELECT pg_advisory_lock_shared({key})"))
            .await;
        if self.exists(template).await {
            return;
        }
        self.ask(&format!("SELECT pg_advisory_unlock_shared({key})"))
            .await;
        self.ask(&format!("SELECT pg_advisory_lock({key})")).await;
        if !self.exists(template).await {
            self.build(template, migrate).await;
        }
        // Take the shared lock first: in between the template cannot be dropped.
        self.ask(&format!("SELECT pg_advisory_lock_shared({key})"))
            .await;
        self.ask(&format!("SELECT pg_advisory_unlock({key})")).await;
    }

    async fn build<Fut: Future<Output = ()>>(
        &self,
        template: &str,
        migrate: impl FnOnce(String) -> Fut,
    ) {
        // A new schema is the time to clean up the databases that no process holds.
        self.sweep("doyen\\_test\\_%").await;
        let family = template
            .rsplit_once('_')
            .map_or(template, |(family, _)| family)
            .replace('_', "\\_");
        self.sweep(&format!("{family}\\_%")).await;
        let building = format!("{template}_new");
        self.run(&format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)"))
            .await;
        self.run(&format!("CREATE DATABASE {building}")).await;
        migrate(url_of(&building)).await;
        // The copy is atomic, and the template must have no connections.
        self.run(&format!(
            "ALTER DATABASE {building} ALLOW_CONNECTIONS false"
        ))
        .await;
        self.run(&format!("ALTER DATABASE {building} RENAME TO {template}"))
            .await;
    }

    /// Drops the databases of these names that no process holds.
    async fn sweep(&self, like: &str) {
        let names = format!("SELECT datname::text FROM pg_database WHERE datname LIKE '{like}'");
        for name in self.rows(&names).await {
            // A template that is being built has the lock of the finished one.
            let key = key(name.trim_end_matches("_new"));
            if self
                .rows(&format!("SELECT pg_try_advisory_lock({key})::text"))
                .await
                == ["true"]
            {
                self.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await;
                self.ask(&format!("SELECT pg_advisory_unlock({key})")).await;
            }
        }
    }

    async fn exists(&self, name: &str) -> bool {
        !self
            .rows(&format!(
                "SELECT datname::text FROM pg_database WHERE datname = '{name}'"
            ))
            .await
            .is_empty()
    }

    async fn run(&self, sql: &str) {
        if let Err(error) = self.0.execute_unprepared(sql).await {
            panic!("{sql}: {error}");
        }
    }

    async fn ask(&self, sql: &str) {
        if let Err(error) = self
            .0
            .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await
        {
            panic!("{sql}: {error}");
        }
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self
            .0
            .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter()
            .filter_map(|row| row.try_get_by_index(0).ok())
            .collect()
    }
}

/// Returns the number of the lock for a name.
fn key(name: &str) -> String {
    format!("hashtextextended('{name}', 0)")
}

fn server() -> String {
    std::env::var("DOYEN_TEST_POSTGRES_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// Returns the URL of another database of the same server.
fn url_of(name: &str) -> String {
    let server = server();
    let (address, parameters) = server
        .split_once('?')
        .map_or((server.as_str(), ""), |(address, parameters)| {
            (address, parameters)
        });
    let address = address
        .rsplit_once('/')
        .map_or(address, |(address, _)| address);
    if parameters.is_empty() {
        format!("{address}/{name}")
    } else {
        format!("{address}/{name}?{parameters}")
    }
}
