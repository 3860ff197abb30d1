//! The four cases with a database, on whichever was named.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Created, NewTicket, Page, Ticket, postgres::Postgres, sqlite::Sqlite};

/// Whatever went wrong below; the client learns only that something did.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone)]
pub enum Database {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

impl Database {
    /// Opens what the environment names; none when it names none.
    pub fn from_environment() -> Result<Option<Self>, Failure> {
        Ok(match settings::database() {
            Some(settings::Database::Postgres { url }) => {
                Some(Self::Postgres(Postgres::open(&url)?))
            }
            Some(settings::Database::Sqlite { path }) => Some(Self::Sqlite(Sqlite::open(&path)?)),
            None => None,
        })
    }

    /// Case 3: one row by its key.
    pub async fn ticket(&self, id: i64) -> Result<Option<Ticket>, Failure> {
        match self {
            Self::Postgres(postgres) => postgres.ticket(id).await,
            Self::Sqlite(sqlite) => sqlite.ticket(id).await,
        }
    }

    /// Case 4: twenty rows by twenty statements.
    pub async fn twenty(&self, start: u32) -> Result<Vec<Ticket>, Failure> {
        match self {
            Self::Postgres(postgres) => postgres.twenty(start).await,
            Self::Sqlite(sqlite) => sqlite.twenty(start).await,
        }
    }

    /// Case 5: a page of fifty with a join and a count.
    pub async fn page(&self, before: i64) -> Result<Page, Failure> {
        match self {
            Self::Postgres(postgres) => postgres.page(before).await,
            Self::Sqlite(sqlite) => sqlite.page(before).await,
        }
    }

    /// Case 6: an insert in a transaction.
    pub async fn create(&self, ticket: NewTicket) -> Result<Created, Failure> {
        match self {
            Self::Postgres(postgres) => postgres.create(ticket).await,
            Self::Sqlite(sqlite) => sqlite.create(ticket).await,
        }
    }
}

/// The keys of case 4, scattered over the 10,000 rows.
pub(crate) fn twenty_keys(start: u32) -> impl Iterator<Item = i64> {
    (0..20).map(move |i| (i64::from(start) * 7919 + i * 104_729) % 10_000 + 1)
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    i64::try_from(since.as_millis()).expect("it is before the year 292278994")
}
