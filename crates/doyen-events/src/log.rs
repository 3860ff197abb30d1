//! The event log in SQL: the outbox rows that have a position.

use std::sync::Arc;

use doyen_core::event::{EventLog, LogPage};
use doyen_core::inject::BoxFuture;
use doyen_core::{Inject, Unexpected};
use doyen_data::Database;

use crate::store::Store;

/// Maximum number of events of one page.
const MAX_PAGE: u32 = 1000;

/// Reads the log from the database.
#[derive(Clone, Inject)]
pub(crate) struct SqlEventLog {
    database: Arc<Database>,
}

impl SqlEventLog {
    fn store(&self) -> Store {
        Store::new(Database::clone(&self.database))
    }
}

impl EventLog for SqlEventLog {
    fn after<'a>(
        &'a self,
        aggregate: &'a str,
        position: i64,
        limit: u32,
    ) -> BoxFuture<'a, Result<LogPage, Unexpected>> {
        Box::pin(async move {
            let store = self.store();
            let events = store.log(aggregate, position, limit.min(MAX_PAGE)).await?;
            // Read second: what was removed in between is then reported as a gap.
            let has_gap = position < store.swept().await?;
            Ok(LogPage {
                events: events.into_iter().map(|claimed| claimed.record).collect(),
                has_gap,
            })
        })
    }

    fn last_position(&self) -> BoxFuture<'_, Result<i64, Unexpected>> {
        Box::pin(async move { Ok(self.store().last_position().await?) })
    }
}
