//! The event log in SQL: the outbox rows that have a position.

use std::sync::Arc;

use doyen_core::event::{EventLog, LogPage};
use doyen_core::inject::BoxFuture;
use doyen_core::{Inject, Unexpected};
use doyen_data::Database;

use crate::store::Store;
use crate::store::manage::LogOf;

/// Maximum number of events of one page.
const MAX_PAGE: u32 = 1000;

/// Reads the log from the database.
#[derive(Clone, Inject)]
pub(crate) struct SqlEventLog {
    database: Arc<Database>,
}

impl SqlEventLog {
    async fn page(&self, of: LogOf<'_>, position: i64, limit: u32) -> Result<LogPage, Unexpected> {
        let store = Store::new(Database::clone(&self.database));
        let events = store.log(of, position, limit.min(MAX_PAGE)).await?;
        // Read second: what was removed in between is then reported as a gap.
        let has_gap = position < store.swept().await?;
        Ok(LogPage { events, has_gap })
    }
}

impl EventLog for SqlEventLog {
    fn after<'a>(
        &'a self,
        aggregate: &'a str,
        position: i64,
        limit: u32,
    ) -> BoxFuture<'a, Result<LogPage, Unexpected>> {
        Box::pin(self.page(LogOf::Aggregate(aggregate), position, limit))
    }

    fn after_topic<'a>(
        &'a self,
        topic: &'a str,
        position: i64,
        limit: u32,
    ) -> BoxFuture<'a, Result<LogPage, Unexpected>> {
        Box::pin(self.page(LogOf::Topic(topic), position, limit))
    }

    fn last_position(&self) -> BoxFuture<'_, Result<i64, Unexpected>> {
        let store = Store::new(Database::clone(&self.database));
        Box::pin(async move { Ok(store.last_position().await?) })
    }
}
