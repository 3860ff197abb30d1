//! How many tickets there are.

use doyen::prelude::*;

use crate::access::{Scope, User};
use crate::tickets::domain::{Stats, Tickets};

/// Count tickets by status and priority.
///
/// Customers count their own, agents all of them.
#[get("/", allow = Scope::TicketsRead)]
pub(crate) async fn stats(me: User, tickets: Tickets) -> Result<Json<Stats>, Unexpected> {
    Ok(Json(tickets.stats(me.into()).await?))
}
