//! A database that exists for a moment, to see what migrations make.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::DbErr;

use crate::migrate::History;
use crate::{Database, DatabaseOptions};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An empty database. Call [`remove`](Self::remove) at the end.
#[derive(Debug)]
pub struct Scratch {
    database: Database,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Server { admin: Database, name: String },
}

impl Scratch {
    /// A SQLite file in the temporary folder.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be created, or if SQLite is not compiled in.
    pub async fn sqlite() -> Result<Self, Box<dyn std::error::Error>> {
        let folder = std::env::temp_dir().join(name());
        let url = format!("sqlite://{}", folder.join("scratch.db").display());
        let database = Database::connect(&DatabaseOptions::new(url)).await?;
        let place = Place::Folder(folder);
        Ok(Self { database, place })
    }

    /// A new database on a PostgreSQL server.
    ///
    /// # Errors
    ///
    /// Returns an error if the server does not respond, or if the user of the URL may not create a
    /// database.
    pub async fn postgres(url: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let admin = Database::connect(&DatabaseOptions::new(url)).await?;
        let name = name();
        execute(&admin, &format!("CREATE DATABASE {name}")).await?;
        let url = url_of(url, &name);
        let database = Database::connect(&DatabaseOptions::new(url)).await;
        let place = Place::Server { admin, name };
        match database {
            Ok(database) => Ok(Self { database, place }),
            Err(error) => {
                place.remove().await;
                Err(error.into())
            }
        }
    }

    /// The database.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Removes the database.
    pub async fn remove(self) {
        self.database.close().await;
        self.place.remove().await;
    }
}

impl Place {
    async fn remove(self) {
        match self {
            // What stays is in the temporary folder.
            Self::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Self::Server { admin, name } => {
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                if let Err(error) = execute(&admin, &sql).await {
                    tracing::warn!(%error, "the scratch database `{name}` stays");
                }
                admin.close().await;
            }
        }
    }
}

async fn execute(database: &Database, sql: &str) -> Result<(), DbErr> {
    let mut history = History::open(database).await?;
    history
        .run_sql("SET default_transaction_read_only = off")
        .await?;
    let done = history.run_sql(sql).await;
    history.close().await;
    done
}

fn name() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let time = chrono::Utc::now().timestamp_micros();
    format!("doyen_scratch_{}_{number}_{time}", std::process::id())
}

/// Returns the URL of another database of the same server.
fn url_of(url: &str, name: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (url, String::new()),
    };
    // `postgres://host/database`: the path begins behind the host.
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..]
        .find('/')
        .map_or(address.len(), |at| host + at);
    format!("{}/{name}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::url_of;

    #[test]
    fn another_database_of_the_same_server() {
        for (url, other) in [
            (
                "postgres://me:a@db:1/shop?sslmode=require",
                "postgres://me:a@db:1/x?sslmode=require",
            ),
            ("postgres://db", "postgres://db/x"),
        ] {
            assert_eq!(url_of(url, "x"), other);
        }
    }
}
