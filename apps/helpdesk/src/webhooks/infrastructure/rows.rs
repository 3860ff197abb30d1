//! Rows, and conversions between rows and domain types.

use doyen::data::sea_orm::Set;
use doyen::prelude::*;
use serde_json::{Value, json};

use crate::webhooks::domain::{Attempt, Delivery, DeliveryStatus, EventName, Webhook};

/// The table `webhooks`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod webhook {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "webhooks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[column(references = "users")]
        pub owner_id: Uuid,
        pub url: String,
        pub events: String,
        pub description: Option<String>,
        pub api_version: Option<String>,
        pub enabled: bool,
        pub failing_since: Option<DateTimeUtc>,
        pub secret: Vec<u8>,
        pub previous_secret: Option<Vec<u8>>,
        pub previous_until: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }
}

/// The table `webhook_deliveries`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod delivery {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "webhook_deliveries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[column(references = "webhooks", on_delete = "cascade")]
        pub webhook_id: Uuid,
        pub message_id: Uuid,
        pub event: String,
        pub payload: String,
        pub status: String,
        pub tries: i32,
        pub attempts: String,
        pub next_try_at: Option<DateTimeUtc>,
        pub created_at: DateTimeUtc,
    }
}

/// Returns the columns of a webhook that users change.
pub(super) fn changed(webhook: &Webhook) -> webhook::ActiveModel {
    webhook::ActiveModel {
        id: Set(webhook.id.uuid()),
        url: Set(webhook.url.clone()),
        events: Set(words(&webhook.events)),
        description: Set(webhook.description.clone()),
        enabled: Set(webhook.enabled),
        failing_since: Set(webhook.failing_since.map(Into::into)),
        updated_at: Set(webhook.updated_at.into()),
        ..Default::default()
    }
}

/// Returns the row of a new webhook.
pub(super) fn new(webhook: &Webhook, secret: Vec<u8>) -> webhook::ActiveModel {
    webhook::ActiveModel {
        owner_id: Set(webhook.owner.uuid()),
        secret: Set(secret),
        api_version: Set(webhook.api_version.clone()),
        previous_secret: Set(None),
        previous_until: Set(None),
        created_at: Set(webhook.created_at.into()),
        version: Set(webhook.version),
        ..changed(webhook)
    }
}

/// Converts a row to a webhook.
pub(super) fn read(row: webhook::Model) -> Result<Webhook, Unexpected> {
    Ok(Webhook {
        id: row.id.into(),
        owner: row.owner_id.into(),
        url: row.url,
        events: row
            .events
            .split_whitespace()
            .map(event)
            .collect::<Result<_, _>>()?,
        description: row.description,
        api_version: row.api_version,
        enabled: row.enabled,
        failing_since: row.failing_since.map(Into::into),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    })
}

/// Returns the row of a delivery.
pub(super) fn delivery_row(delivery: &Delivery) -> delivery::ActiveModel {
    delivery::ActiveModel {
        id: Set(delivery.id.uuid()),
        webhook_id: Set(delivery.webhook.uuid()),
        message_id: Set(delivery.message.uuid()),
        event: Set(delivery.event.as_str().to_owned()),
        payload: Set(delivery.payload.clone()),
        status: Set(delivery.status.as_str().to_owned()),
        tries: Set(delivery.tries.cast_signed()),
        attempts: Set(attempts(&delivery.attempts)),
        next_try_at: Set(delivery.next_try_at.map(Into::into)),
        created_at: Set(delivery.created_at.into()),
    }
}

/// Converts a row to a delivery.
pub(super) fn read_delivery(row: delivery::Model) -> Result<Delivery, Unexpected> {
    let unknown = || Unexpected::new(format!("unknown status `{}`", row.status));
    Ok(Delivery {
        id: row.id.into(),
        webhook: row.webhook_id.into(),
        message: row.message_id.into(),
        event: event(&row.event)?,
        status: DeliveryStatus::named(&row.status).ok_or_else(unknown)?,
        payload: row.payload,
        tries: row.tries.try_into()?,
        attempts: read_attempts(&row.attempts)?,
        next_try_at: row.next_try_at.map(Into::into),
        created_at: row.created_at.into(),
    })
}

fn words(events: &[EventName]) -> String {
    let words: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
    words.join(" ")
}

fn event(word: &str) -> Result<EventName, Unexpected> {
    EventName::named(word).ok_or_else(|| Unexpected::new(format!("unknown event `{word}`")))
}

/// The attempts as JSON: they are only read together with their delivery.
fn attempts(attempts: &[Attempt]) -> String {
    let all = attempts.iter().map(|attempt| {
        json!({
            "at": attempt.at.micros(),
            "status": attempt.response_status,
            "ms": attempt.duration_ms,
            "error": attempt.error,
        })
    });
    Value::Array(all.collect()).to_string()
}

fn read_attempts(text: &str) -> Result<Vec<Attempt>, Unexpected> {
    let all: Vec<Value> = serde_json::from_str(text)?;
    let number = |value: &Value, name: &str| value[name].as_u64();
    let read = |value: &Value| Attempt {
        at: Timestamp::from_micros(value["at"].as_i64().unwrap_or(0)),
        response_status: number(value, "status").and_then(|status| status.try_into().ok()),
        duration_ms: number(value, "ms").unwrap_or(0),
        error: value["error"].as_str().map(str::to_owned),
    };
    Ok(all.iter().map(read).collect())
}
