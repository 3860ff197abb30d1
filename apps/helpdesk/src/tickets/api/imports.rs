//! Import many tickets.

use std::sync::Arc;

use doyen::domain::JobId;
use doyen::prelude::*;

use super::shapes::NewTicket;
use crate::access::{Role, Scope, User};
use crate::jobs;
use crate::tickets::domain::TicketImports;

/// Maximum size of the body of an import.
const BODY_LIMIT: usize = 2 << 20;

/// Tickets to import.
#[derive(Input)]
pub(crate) struct NewImport {
    /// Tickets to create, in this order.
    #[validate(items(min = 1, max = 1000))]
    tickets: Vec<NewTicket>,
}

/// An import that was started.
#[derive(Output)]
pub(crate) struct StartedImport {
    /// Id of the job that imports the tickets.
    id: JobId,
    /// Links to the job and to the actions available to the caller.
    #[output(rename = "_links")]
    links: LinkMap,
}

/// Import tickets
///
/// Creates up to 1,000 tickets in the background. The caller becomes their reporter. The response
/// has the id of the job, whose `progress` counts the created tickets.
#[post(
    "/import",
    allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin),
    body_limit = BODY_LIMIT,
    idempotent(required)
)]
pub(crate) async fn import(
    me: User,
    imports: Arc<dyn TicketImports>,
    links: Links,
    Json(new): Json<NewImport>,
) -> Result<Accepted<StartedImport>, Unexpected> {
    let drafts = new.tickets.into_iter().map(Into::into).collect();
    let id = imports.start(me.into(), drafts).await?;
    let at: &[&dyn std::fmt::Display] = &[&id];
    let links = links.map();
    let links = links
        .to::<jobs::show>("self", at)
        .to::<jobs::cancel>("cancel", at);
    Ok(Accepted(StartedImport {
        id,
        links: links.done(),
    }))
}
