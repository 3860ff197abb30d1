//! Events in the outbox: they are published if and only if the transaction is committed.

use doyen::data::{Event, Session};
use doyen::prelude::*;
use serde::Serialize;

use crate::access::UserId;
use crate::tickets::domain::{CommentId, Status, TicketEvent, TicketEvents, TicketId};

/// Writes events to the outbox.
#[derive(Clone, Inject)]
pub(crate) struct OutboxEvents {
    session: Session,
}

#[port]
impl TicketEvents for OutboxEvents {
    async fn publish(&self, event: TicketEvent) -> Result<(), Unexpected> {
        match event {
            TicketEvent::Created { ticket, reporter } => {
                self.session.emit(&Created { ticket, reporter }).await?
            }
            TicketEvent::StatusChanged {
                ticket,
                from,
                to,
                by,
            } => {
                self.session
                    .emit(&StatusChanged {
                        ticket,
                        from,
                        to,
                        by,
                    })
                    .await?
            }
            TicketEvent::Commented {
                ticket,
                comment,
                by,
                internal,
            } => {
                self.session
                    .emit(&Commented {
                        ticket,
                        comment,
                        by,
                        internal,
                    })
                    .await?
            }
        };
        Ok(())
    }
}

#[derive(Serialize)]
struct Created {
    ticket: TicketId,
    reporter: UserId,
}

#[derive(Serialize)]
struct StatusChanged {
    ticket: TicketId,
    from: Status,
    to: Status,
    by: UserId,
}

#[derive(Serialize)]
struct Commented {
    ticket: TicketId,
    comment: CommentId,
    by: UserId,
    internal: bool,
}

impl Event for Created {
    const TOPIC: &'static str = "tickets.created";
}

impl Event for StatusChanged {
    const TOPIC: &'static str = "tickets.status_changed";
}

impl Event for Commented {
    const TOPIC: &'static str = "tickets.commented";
}
