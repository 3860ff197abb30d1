//! The security log for administrators.

use std::collections::BTreeMap;
use std::sync::Arc;

use doyen_core::{Id, Page, Paging, Restricted, Timestamp, Unexpected, signed_in};
use doyen_data::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use doyen_data::{Order, Session};
use doyen_macros::{get, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Query, Routes, none};

use super::{SecurityWriter, rows};

/// Returns the routes with this access policy.
pub(crate) fn routes(admin: Restricted) -> Routes {
    routes![list_security_events].allow(admin)
}

/// A security event of an account.
#[derive(Output)]
#[output(name = "SecurityEvent")]
struct EventView {
    /// Id of the event.
    id: Id<EventView>,
    /// Time of the event.
    at: Timestamp,
    /// Name of the event.
    #[output(example = "login.failed")]
    name: String,
    /// Id of the affected account.
    subject: Option<String>,
    /// Id of the user who caused the event, if not the account itself.
    actor: Option<String>,
    /// Id of the session.
    session: Option<String>,
    /// Client address.
    address: Option<String>,
    /// User agent of the client.
    agent: Option<String>,
    /// Id of the request.
    request_id: Option<String>,
    /// Further details of the event.
    details: BTreeMap<String, String>,
}

impl doyen_core::id::Named for EventView {
    const PREFIX: &'static str = "evt";
}

/// The filter for security events.
#[derive(Debug, Input)]
struct EventFilter {
    /// Return only events with this name, such as `login.failed`.
    #[validate(length(max = 100))]
    name: Option<String>,
    /// Return only events of this account.
    #[validate(length(max = 100))]
    subject: Option<String>,
}

/// List security events
///
/// The newest events come first.
#[get("/security-events", allow = signed_in, cache = none)]
async fn list_security_events(
    session: Session,
    writer: Arc<SecurityWriter>,
    Query(filter): Query<EventFilter>,
    paging: Paging,
) -> Result<Page<EventView>, Unexpected> {
    // So that the list includes all earlier events.
    writer.flush().await;
    let mut select = rows::Entity::find();
    if let Some(name) = &filter.name {
        select = select.filter(rows::Column::Name.eq(name.as_str()));
    }
    if let Some(subject) = &filter.subject {
        select = select.filter(rows::Column::Subject.eq(subject.as_str()));
    }
    let order = Order::by(rows::Column::At)
        .desc()
        .then(rows::Column::Id)
        .desc();
    let EventFilter { name, subject } = filter;
    let page = session
        .page(select, order, &paging, &(name, subject))
        .await?;
    page.try_map(view)
}

fn view(row: rows::Model) -> Result<EventView, Unexpected> {
    Ok(EventView {
        id: row.id.into(),
        at: row.at.into(),
        name: row.name,
        subject: row.subject,
        actor: row.actor,
        session: row.session,
        address: row.address,
        agent: row.agent,
        request_id: row.request_id,
        details: serde_json::from_str(&row.details)?,
    })
}
