//! Ticket statistics.

use doyen::prelude::*;

use crate::access::{Scope, User};
use crate::tickets::TICKETS;
use crate::tickets::domain::{Stats, Tickets};

/// Clients ask each time whether the counts have changed. The server counts once a minute at most
/// for each caller, unless a ticket changes.
const COUNTS: CacheRule = private(secs(0)).stored(MINUTE).stale(MINUTE);

/// Get ticket statistics
///
/// Counts tickets by status and by priority. For customers, the counts include only their own
/// tickets. Send the `ETag` as `If-None-Match` to get a 304 while nothing has changed.
#[get("/", allow = Scope::TicketsRead, cache = COUNTS.tag(TICKETS))]
pub(crate) async fn stats(me: User, tickets: Tickets) -> Result<Json<Stats>, Unexpected> {
    Ok(Json(tickets.stats(me.into()).await?))
}
