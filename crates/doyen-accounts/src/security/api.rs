//! The security log for administrators.

use std::collections::BTreeMap;
use std::sync::Arc;

use doyen_core::{Id, Input, Output, Page, Paging, Restricted, Timestamp, Unexpected, signed_in};
use doyen_data::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use doyen_data::{Order, Session};
use doyen_macros::{get, routes};
use doyen_web::{Query, Routes};

use super::{SecurityWriter, rows};

/// The routes, for whoever may call them.
pub(crate) fn routes(admin: Restricted) -> Routes {
    routes![list_security_events].allow(admin)
}

/// Something that happened to an account.
#[derive(Output)]
#[output(name = "SecurityEvent")]
struct EventView {
    /// Its id.
    id: Id<EventView>,
    /// When it happened.
    at: Timestamp,
    /// What happened.
    #[output(example = "login.failed")]
    name: String,
    /// Whose account it is about.
    subject: Option<String>,
    /// Who did it, when it was somebody else.
    actor: Option<String>,
    /// In which session.
    session: Option<String>,
    /// From which address.
    address: Option<String>,
    /// What the client calls itself.
    agent: Option<String>,
    /// In which request.
    request_id: Option<String>,
    /// What else is known.
    details: BTreeMap<String, String>,
}

impl doyen_core::id::Named for EventView {
    const PREFIX: &'static str = "evt";
}

/// Which events.
#[derive(Debug, Input)]
struct EventFilter {
    /// Only these, for example `login.failed`.
    #[validate(length(max = 100))]
    name: Option<String>,
    /// Only those about this account.
    #[validate(length(max = 100))]
    subject: Option<String>,
}

/// List what happened to accounts, the newest first.
#[get("/security-events", allow = signed_in)]
async fn list_security_events(
    session: Session,
    writer: Arc<SecurityWriter>,
    Query(filter): Query<EventFilter>,
    paging: Paging,
) -> Result<Page<EventView>, Unexpected> {
    // So that who reads after an event finds it.
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
    let page = session
        .page(select, order, &paging, &format!("{filter:?}"))
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
