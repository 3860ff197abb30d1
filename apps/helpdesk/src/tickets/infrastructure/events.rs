//! Events in the outbox: they are published if and only if the transaction is committed.

use doyen::data::Session;
use doyen::prelude::*;

use crate::tickets::domain::{TicketEvent, TicketEvents};

/// Writes events to the outbox.
#[derive(Clone, Inject)]
pub(crate) struct OutboxEvents {
    session: Session,
}

#[port]
impl TicketEvents for OutboxEvents {
    async fn publish(&self, event: TicketEvent) -> Result<(), Unexpected> {
        self.session.emit(&event).await?;
        Ok(())
    }
}
