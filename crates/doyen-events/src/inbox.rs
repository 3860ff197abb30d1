//! The inbox of consumers that must not process a message twice.

use doyen_core::{Inject, Unexpected};
use doyen_data::Session;

use crate::store::now;

/// Remembers the ids of processed messages, in the unit of work of the consumer.
///
/// ```
/// # extern crate doyen_events as doyen;
/// use doyen_core::Unexpected;
/// use doyen_events::Inbox;
///
/// async fn book(inbox: Inbox, payment: &str) -> Result<(), Unexpected> {
///     if !inbox.once("bookings", payment).await? {
///         return Ok(()); // A duplicate: it is booked already.
///     }
///     // Book it: this commits together with the id.
///     Ok(())
/// }
/// # let _ = book;
/// ```
#[derive(Clone, Debug, Inject)]
pub struct Inbox {
    session: Session,
}

impl Inbox {
    /// Returns an inbox in this unit of work.
    pub const fn new(session: Session) -> Self {
        Self { session }
    }

    /// Returns true if this consumer sees this id for the first time. If the unit of work is rolled
    /// back, the id is forgotten. A concurrent duplicate waits for the outcome of the first one.
    ///
    /// An id is remembered for `events.keep_inbox`.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn once(&self, consumer: &str, id: &str) -> Result<bool, Unexpected> {
        let now = now(self.session.backend());
        let sql = format!(
            "INSERT INTO events_inbox (consumer, id, received_ms) VALUES ($1, $2, {now})
             ON CONFLICT (consumer, id) DO NOTHING"
        );
        let parameters = [consumer.into(), id.into()];
        Ok(self.session.execute_sql(&sql, parameters).await? == 1)
    }
}
