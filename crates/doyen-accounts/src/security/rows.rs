//! The table `auth_events`.

use doyen_core::{SecurityEvent, Timestamp};
use doyen_data::Entity;
use doyen_data::sea_orm::{self, entity::prelude::*};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
#[sea_orm(table_name = "auth_events")]
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: DateTimeUtc,
    pub name: String,
    pub subject: Option<String>,
    pub actor: Option<String>,
    pub session: Option<String>,
    pub address: Option<String>,
    pub agent: Option<String>,
    pub request_id: Option<String>,
    /// JSON object with text values.
    pub details: String,
}

/// Converts an event to a row.
pub(super) fn row(event: SecurityEvent, at: Timestamp, request: Option<String>) -> ActiveModel {
    let details: serde_json::Map<String, serde_json::Value> = event
        .details
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let text =
        |value: Option<std::sync::Arc<str>>| sea_orm::Set(value.map(|text| text.to_string()));
    ActiveModel {
        id: sea_orm::Set(Uuid::now_v7()),
        at: sea_orm::Set(at.into()),
        name: sea_orm::Set(event.name.to_owned()),
        subject: text(event.subject),
        actor: text(event.actor),
        session: text(event.session),
        address: sea_orm::Set(event.address.map(|address| address.to_string())),
        agent: text(event.agent),
        request_id: sea_orm::Set(request),
        details: sea_orm::Set(serde_json::Value::Object(details).to_string()),
    }
}
