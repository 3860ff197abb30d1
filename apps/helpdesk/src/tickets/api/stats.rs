//! Ticket statistics.

use doyen::prelude::*;

use crate::access::{Scope, User};
use crate::tickets::domain::{Stats, Tickets};

/// Get ticket statistics
///
/// Counts tickets by status and by priority. For customers, the counts include only their own
/// tickets.
#[get("/", allow = Scope::TicketsRead)]
pub(crate) async fn stats(me: User, tickets: Tickets) -> Result<Json<Stats>, Unexpected> {
    Ok(Json(tickets.stats(me.into()).await?))
}
