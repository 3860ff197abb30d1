//! The table of nodes. Each process writes its own row and reads those of all processes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doyen::data::sea_orm::prelude::{DateTimeUtc, Uuid};
use doyen::data::sea_orm::{self, FromQueryResult, Value};
use doyen::data::{Database, Row};
use doyen::domain::Access;
use doyen::domain::id::Named;
use doyen::prelude::*;

/// The id of a node, such as `node_...`.
pub type NodeId = Id<Node>;

/// A running process of the application.
#[derive(Debug, Output)]
pub struct Node {
    /// Id of the node. A process has a new one after each start.
    pub id: NodeId,
    /// `running`, or `draining` if the process is stopping.
    pub state: String,
    /// Time of the last heartbeat.
    pub seen_at: Timestamp,
}

impl Named for Node {
    const PREFIX: &'static str = "node";
}

/// The table of nodes. Injectable as `Arc<Registry>`.
pub struct Registry {
    database: Database,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    id: NodeId,
    own: Mutex<Own>,
}

/// The state of this process.
struct Own {
    draining: bool,
    heartbeats: u64,
    seen_at: Timestamp,
}

#[derive(FromQueryResult, Row)]
struct NodeRow {
    id: Uuid,
    state: String,
    seen_at: DateTimeUtc,
}

impl Registry {
    pub(crate) fn new(database: Database, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        let own = Own {
            draining: false,
            heartbeats: 0,
            seen_at: clock.now(),
        };
        Self {
            database,
            clock,
            timeout,
            id: NodeId::new(),
            own: Mutex::new(own),
        }
    }

    /// The id of this process.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Returns the running nodes, oldest first.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn running(&self, session: &Session) -> Result<Vec<Node>, Unexpected> {
        let sql = "SELECT id, state, seen_at FROM nodes WHERE seen_at >= $1 ORDER BY id";
        let rows: Vec<NodeRow> = session.query_as(sql, [self.oldest()]).await?;
        Ok(rows.into_iter().map(Node::from).collect())
    }

    /// Writes a heartbeat, in a transaction of its own.
    pub(crate) async fn beat(&self) -> Result<(), Unexpected> {
        let now = self.clock.now();
        let state = match self.own().draining {
            true => "draining",
            false => "running",
        };
        let sql = "INSERT INTO nodes (id, state, seen_at) VALUES ($1, $2, $3)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at";
        let parameters = [self.id.uuid().into(), state.into(), time(now)];
        self.execute(sql, parameters).await?;
        let mut own = self.own();
        own.heartbeats += 1;
        own.seen_at = now;
        Ok(())
    }

    /// Marks this process as stopping.
    pub(crate) async fn drain(&self) -> Result<(), Unexpected> {
        self.own().draining = true;
        self.beat().await
    }

    /// Removes this process from the table.
    pub(crate) async fn leave(&self) {
        let sql = "DELETE FROM nodes WHERE id = $1";
        // A row that stays is ignored after the timeout.
        let _ = self.execute(sql, [self.id.uuid().into()]).await;
    }

    /// Removes the nodes that no longer run, and returns their number.
    pub(crate) async fn forget(&self) -> Result<u64, Unexpected> {
        let sql = "DELETE FROM nodes WHERE seen_at < $1";
        self.execute(sql, [self.oldest()]).await
    }

    /// Fails if the last heartbeat of this process is too old.
    pub(crate) fn check(&self) -> Result<(), String> {
        let age = self.clock.now().since(self.own().seen_at);
        if age > self.timeout {
            return Err(format!("no heartbeat for {} s", age.as_secs()));
        }
        Ok(())
    }

    /// Returns the number of heartbeats of this process.
    pub(crate) fn heartbeats(&self) -> u64 {
        self.own().heartbeats
    }

    async fn execute(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Unexpected> {
        let session = self.database.session(Access::Write);
        let changed = session.execute_sql(sql, parameters).await?;
        session.commit().await?;
        Ok(changed)
    }

    /// A node with an older heartbeat counts as stopped.
    fn oldest(&self) -> Value {
        time(self.clock.now() - self.timeout)
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn time(at: Timestamp) -> Value {
    DateTimeUtc::from(at).into()
}

impl From<NodeRow> for Node {
    fn from(row: NodeRow) -> Self {
        Self {
            id: row.id.into(),
            state: row.state,
            seen_at: row.seen_at.into(),
        }
    }
}
