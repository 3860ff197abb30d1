//! The four cases with a database, by sqlx.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use sqlx::{
    Connection, FromRow, PgPool, SqlitePool,
    pool::PoolOptions,
    query_as, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::bodies::NewTicket;

const TICKET: &str = "SELECT id, subject, status, priority, reporter_id, assignee_id, created_ms FROM tickets WHERE id = $1";

const PAGE: &str = "SELECT t.id, t.subject, t.status, t.priority, t.created_ms, u.id AS assignee_id, u.name AS assignee_name, \
     (SELECT count(*) FROM comments c WHERE c.ticket_id = t.id) AS comments \
     FROM tickets t LEFT JOIN users u ON u.id = t.assignee_id WHERE t.id < $1 ORDER BY t.id DESC LIMIT 50";

const INSERT: &str = "INSERT INTO tickets (subject, body, status, priority, reporter_id, assignee_id, created_ms) \
     VALUES ($1, $2, 'open', $3, 1, NULL, $4) RETURNING id";

/// A connection that rested for longer is asked whether it still lives.
const RESTED: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub enum Database {
    Postgres(PgPool),
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
}

#[derive(FromRow, Serialize)]
pub struct Ticket {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    reporter_id: i64,
    assignee_id: Option<i64>,
    created_ms: i64,
}

#[derive(Serialize)]
pub struct Page {
    items: Vec<Item>,
    next: Option<i64>,
}

#[derive(Serialize)]
struct Item {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    created_ms: i64,
    assignee: Option<Assignee>,
    comments: i64,
}

#[derive(Serialize)]
struct Assignee {
    id: i64,
    name: String,
}

#[derive(Serialize)]
pub struct Created {
    id: i64,
    subject: String,
    status: &'static str,
    priority: i32,
}

impl Database {
    pub async fn from_environment() -> sqlx::Result<Option<Self>> {
        let size = settings::POOL as u32;
        Ok(match settings::database() {
            Some(settings::Database::Postgres { url }) => {
                Some(Self::Postgres(pool(size).connect(&url).await?))
            }
            Some(settings::Database::Sqlite { path }) => {
                let file = SqliteConnectOptions::new()
                    .filename(path)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true);
                let writer = pool(1).connect_with(file.clone()).await?;
                let readers = pool(size).connect_with(file.read_only(true)).await?;
                Some(Self::Sqlite { readers, writer })
            }
            None => None,
        })
    }

    pub async fn ticket(&self, id: i64) -> sqlx::Result<Option<Ticket>> {
        match self {
            Self::Postgres(pool) => query_as(TICKET).bind(id).fetch_optional(pool).await,
            Self::Sqlite { readers, .. } => query_as(TICKET).bind(id).fetch_optional(readers).await,
        }
    }

    pub async fn twenty(&self, start: u32) -> sqlx::Result<Vec<Ticket>> {
        let keys = (0..20).map(|i| (i64::from(start) * 7919 + i * 104_729) % 10_000 + 1);
        let mut tickets = Vec::with_capacity(20);
        match self {
            Self::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                for id in keys {
                    tickets.push(
                        query_as(TICKET)
                            .bind(id)
                            .fetch_one(&mut *connection)
                            .await?,
                    );
                }
            }
            Self::Sqlite { readers, .. } => {
                let mut connection = readers.acquire().await?;
                for id in keys {
                    tickets.push(
                        query_as(TICKET)
                            .bind(id)
                            .fetch_one(&mut *connection)
                            .await?,
                    );
                }
            }
        }
        Ok(tickets)
    }

    pub async fn page(&self, before: i64) -> sqlx::Result<Page> {
        let rows: Vec<ItemRow> = match self {
            Self::Postgres(pool) => query_as(PAGE).bind(before).fetch_all(pool).await?,
            Self::Sqlite { readers, .. } => query_as(PAGE).bind(before).fetch_all(readers).await?,
        };
        let items: Vec<_> = rows.into_iter().map(Item::from).collect();
        let next = items.get(49).map(|last| last.id);
        Ok(Page { items, next })
    }

    pub async fn create(&self, ticket: NewTicket) -> sqlx::Result<Created> {
        let NewTicket {
            subject,
            body,
            priority,
        } = ticket;
        let id = match self {
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                let insert = query_scalar(INSERT)
                    .bind(&subject)
                    .bind(&body)
                    .bind(priority)
                    .bind(now_ms());
                let id = insert.fetch_one(&mut *transaction).await?;
                transaction.commit().await?;
                id
            }
            Self::Sqlite { writer, .. } => {
                let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
                let insert = query_scalar(INSERT)
                    .bind(&subject)
                    .bind(&body)
                    .bind(priority)
                    .bind(now_ms());
                let id = insert.fetch_one(&mut *transaction).await?;
                transaction.commit().await?;
                id
            }
        };
        Ok(Created {
            id,
            subject,
            status: "open",
            priority,
        })
    }
}

/// sqlx pings a connection each time it is taken; its documentation shows how to do so only after a
/// rest.
fn pool<D: sqlx::Database>(size: u32) -> PoolOptions<D> {
    PoolOptions::new()
        .max_connections(size)
        .test_before_acquire(false)
        .before_acquire(|connection: &mut D::Connection, meta| {
            Box::pin(async move {
                if meta.idle_for > RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// An item as the outer join gives it.
#[derive(FromRow)]
struct ItemRow {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    created_ms: i64,
    assignee_id: Option<i64>,
    assignee_name: Option<String>,
    comments: i64,
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        let ItemRow {
            id,
            subject,
            status,
            priority,
            created_ms,
            assignee_id,
            assignee_name,
            comments,
        } = row;
        let assignee = assignee_id
            .zip(assignee_name)
            .map(|(id, name)| Assignee { id, name });
        Self {
            id,
            subject,
            status,
            priority,
            created_ms,
            assignee,
            comments,
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    i64::try_from(since.as_millis()).expect("it is before the year 292278994")
}
