//! The table `auth_revocations`: where all nodes write what no longer counts, and read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doyen_auth::{Reading, Revocation, RevocationList, RevocationSource};
use doyen_core::{Access, Unexpected};
use doyen_data::sea_orm::{self, DbBackend, FromQueryResult};
use doyen_data::{Database, Row, Session};

/// A row is written a little before it is committed, so each reading begins this much before the last row it knows: twice as long as a
/// request may take.
const OVERLAP: Duration = Duration::from_secs(60);
/// How often old rows are deleted.
const PRUNE: Duration = Duration::from_secs(600);

/// Revokes sessions, keys and machine clients, on every node within five seconds. Ask for `Arc<Revocations>`.
pub struct Revocations {
    list: Arc<RevocationList>,
    /// When old rows were last deleted, in milliseconds of the database's clock.
    pruned: AtomicI64,
}

impl std::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revocations").finish_non_exhaustive()
    }
}

impl Revocations {
    /// In this database, for access tokens that are good for at most `lifetime`.
    pub fn new(database: Database, lifetime: Duration) -> Self {
        // What the list keeps must be there to read for a node that starts.
        let kept = RevocationList::kept_for(lifetime);
        let source = Arc::new(Table { database, kept });
        Self {
            list: Arc::new(RevocationList::new(source, lifetime)),
            pruned: AtomicI64::new(0),
        }
    }

    /// The list that identification looks at.
    pub fn list(&self) -> Arc<RevocationList> {
        Arc::clone(&self.list)
    }

    /// Refuses every token of this session, key or client whose generation is below the floor; [`REVOKED`](doyen_auth::REVOKED) for all.
    ///
    /// It is part of the unit of work: on this node it counts with the commit, on the others at most five seconds later. The longest that
    /// may lie between this call and the commit is a minute.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn revoke(&self, session: &Session, id: &str, floor: u32) -> Result<(), Unexpected> {
        let (now, higher) = match session.backend() {
            DbBackend::Postgres => (NOW_POSTGRES, "GREATEST"),
            _ => (NOW_SQLITE, "max"),
        };
        let sql = format!(
            "INSERT INTO auth_revocations (id, floor, at) VALUES ($1, $2, {now}) \
             ON CONFLICT (id) DO UPDATE SET floor = {higher}(auth_revocations.floor, excluded.floor), at = excluded.at"
        );
        session
            .execute_sql(&sql, [id.into(), i64::from(floor).into()])
            .await?;
        self.prune(session).await?;
        let (list, id) = (Arc::clone(&self.list), id.to_owned());
        session.after_commit(async move { list.put(&id, floor) });
        Ok(())
    }

    /// Deletes what is older than any token, now and then.
    async fn prune(&self, session: &Session) -> Result<(), Unexpected> {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, millis);
        let last = self.pruned.load(Ordering::Relaxed);
        if now - last < millis(PRUNE)
            || self
                .pruned
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM auth_revocations WHERE at < {} - $1",
            now_of(session.backend())
        );
        // Twice as long as anybody looks at it.
        let kept = 2 * millis(self.list.kept());
        session.execute_sql(&sql, [kept.into()]).await?;
        Ok(())
    }
}

// The database's clock, in milliseconds: one clock for all nodes. Not the time a transaction began, which may be long ago.
const NOW_POSTGRES: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const NOW_SQLITE: &str = "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)";

fn now_of(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => NOW_POSTGRES,
        _ => NOW_SQLITE,
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The table, read.
struct Table {
    database: Database,
    kept: Duration,
}

#[derive(FromQueryResult, Row)]
struct Entry {
    id: String,
    floor: i64,
    at: i64,
}

#[async_trait::async_trait]
impl RevocationSource for Table {
    async fn since(&self, mark: Option<i64>) -> Result<Reading, Unexpected> {
        let session = self.database.session(Access::Read);
        let rows: Vec<Entry> = match mark {
            Some(mark) => {
                let sql = "SELECT id, floor, at FROM auth_revocations WHERE at > $1";
                let from = mark - millis(OVERLAP);
                session.query_as(sql, [from.into()]).await?
            }
            None => {
                let sql = format!(
                    "SELECT id, floor, at FROM auth_revocations WHERE at > {} - $1",
                    now_of(self.database.backend())
                );
                session.query_as(&sql, [millis(self.kept).into()]).await?
            }
        };
        let mark = rows.iter().map(|row| row.at).max();
        let entries = rows.into_iter().map(|row| Revocation {
            id: row.id,
            floor: u32::try_from(row.floor).unwrap_or(doyen_auth::REVOKED),
        });
        Ok(Reading {
            entries: entries.collect(),
            mark,
        })
    }
}
