//! The port to the security log, for a request.

use std::sync::Arc;

use doyen_core::{Inject, SecurityEvent, SecurityLog, current_request};
use doyen_data::Session;

use super::SecurityWriter;

/// Writes events to the log and to the table.
#[derive(Clone, Inject)]
pub struct SqlSecurityLog {
    session: Session,
    writer: Arc<SecurityWriter>,
}

impl SecurityLog for SqlSecurityLog {
    fn record(&self, event: SecurityEvent) {
        self.writer.write(event);
    }

    fn record_on_commit(&self, event: SecurityEvent) {
        let writer = Arc::clone(&self.writer);
        // Read now: work after the commit runs outside of the request.
        let request = current_request().map(|(id, _)| id);
        self.session
            .after_commit(async move { writer.write_of(event, request) });
    }
}

impl std::fmt::Debug for SqlSecurityLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlSecurityLog").finish_non_exhaustive()
    }
}
