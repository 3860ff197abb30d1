//! The table `auth_revocations`, in which all nodes record and read revocations.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doyen_auth::{Reading, Revocation, RevocationList, RevocationSource};
use doyen_core::{Access, Unexpected};
use doyen_data::sea_orm::{self, DbBackend, FromQueryResult};
use doyen_data::{Database, Row, Session};

/// Overlap of two reads: a row is written a little before it is committed. Twice as long as a
/// request may take.
const OVERLAP: Duration = Duration::from_secs(60);
/// Minimum time between two deletions of old rows.
const PRUNE_INTERVAL: Duration = Duration::from_secs(600);

/// Revokes sessions, keys and machine clients on every node within five seconds. Inject
/// `Arc<Revocations>`.
pub struct Revocations {
    list: Arc<RevocationList>,
    /// Time of the last deletion of old rows, in milliseconds of the database clock.
    pruned: AtomicI64,
}

impl std::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revocations").finish_non_exhaustive()
    }
}

impl Revocations {
    /// Creates it for this database and access tokens with at most this lifetime.
    pub fn new(database: Database, lifetime: Duration) -> Self {
        // A node that starts must still find every row that the list needs.
        let kept = RevocationList::kept_for(lifetime);
        let source = Arc::new(Table { database, kept });
        Self {
            list: Arc::new(RevocationList::new(source, lifetime)),
            pruned: AtomicI64::new(0),
        }
    }

    /// Returns the list that identification checks.
    pub fn list(&self) -> Arc<RevocationList> {
        Arc::clone(&self.list)
    }

    /// Rejects every token of this session, key or client whose generation is below the floor;
    /// [`REVOKED`](doyen_auth::REVOKED) for all.
    ///
    /// It is part of the unit of work: it takes effect with the commit on this node, and within
    /// five seconds on the others. At most a minute may pass between this call and the commit.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
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

    /// Deletes rows that are older than any token, now and then.
    async fn prune(&self, session: &Session) -> Result<(), Unexpected> {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, millis);
        let last = self.pruned.load(Ordering::Relaxed);
        if now - last < millis(PRUNE_INTERVAL)
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
        // Twice as long as any node needs them.
        let kept = 2 * millis(self.list.kept());
        session.execute_sql(&sql, [kept.into()]).await?;
        Ok(())
    }
}

// The clock of the database in milliseconds, one clock for all nodes. Not the start time of the
// transaction, which may be long ago.
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

/// Reads the table.
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
