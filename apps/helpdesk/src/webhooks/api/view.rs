//! Response types.

use doyen::prelude::*;

use super::{deliveries, webhooks};
use crate::access::UserId;
use crate::webhooks::domain::{
    Attempt, Delivery, DeliveryId, DeliveryStatus, EventName, MessageId, Webhook, WebhookId,
};

/// A webhook.
#[derive(Output)]
#[output(name = "Webhook", from = (Webhook, WebhookLinks), etag = version, location = place)]
pub(crate) struct WebhookView {
    /// Webhook id.
    id: WebhookId,
    /// User id of the user who created it.
    owner: UserId,
    /// URL that receives events.
    #[output(example = "https://example.com/hooks/helpdesk")]
    url: String,
    /// Events that are sent.
    events: Vec<EventName>,
    /// Purpose of the webhook, or null.
    description: Option<String>,
    /// Version of the API whose shape the data of messages has. Null for the newest one.
    api_version: Option<String>,
    /// False if nothing is sent.
    enabled: bool,
    /// Time of the first failed attempt since the last successful one, or null.
    failing_since: Option<Timestamp>,
    /// Creation time.
    created_at: Timestamp,
    /// Time of the last change.
    updated_at: Timestamp,
    /// Version number, incremented by each change. Also in the `ETag`.
    version: i64,
    /// Links to the resource and to the actions available to the caller.
    #[output(rename = "_links", value = webhook_links.map)]
    links: LinkMap,
    #[output(skip, value = webhook_links.path)]
    place: String,
}

/// A new webhook with its secret.
#[derive(Output)]
#[output(name = "NewWebhookWithSecret", from = (Webhook, NewSecret, WebhookLinks), etag = version, location = place)]
pub(crate) struct CreatedWebhookView {
    /// Webhook id.
    id: WebhookId,
    /// Secret that signs messages: `whsec_` and base64. It is shown only here.
    #[output(value = new_secret.0.expose().clone(), example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    /// User id of the user who created it.
    owner: UserId,
    /// URL that receives events.
    url: String,
    /// Events that are sent.
    events: Vec<EventName>,
    /// Purpose of the webhook, or null.
    description: Option<String>,
    /// Version of the API whose shape the data of messages has. Null for the newest one.
    api_version: Option<String>,
    /// False if nothing is sent.
    enabled: bool,
    /// Creation time.
    created_at: Timestamp,
    /// Time of the last change.
    updated_at: Timestamp,
    /// Version number, incremented by each change. Also in the `ETag`.
    version: i64,
    /// Links to the resource and to the actions available to the caller.
    #[output(rename = "_links", value = webhook_links.map)]
    links: LinkMap,
    #[output(skip, value = webhook_links.path)]
    place: String,
}

/// A secret that was just created.
pub(super) struct NewSecret(pub(super) Secret<String>);

/// The path of a webhook, and the links available to the caller.
pub(super) struct WebhookLinks {
    path: String,
    map: LinkMap,
}

impl WebhookLinks {
    pub(super) fn of(webhook: &Webhook, links: &Links) -> Self {
        let id: &[&dyn std::fmt::Display] = &[&webhook.id];
        let map = links
            .map()
            .to::<webhooks::show>("self", id)
            .to::<webhooks::edit>("edit", id)
            .to::<webhooks::remove>("delete", id)
            .to::<webhooks::rotate>("secret", id)
            .to_if::<webhooks::test>(webhook.enabled, "test", id)
            .to::<deliveries::list_deliveries>("deliveries", id)
            .done();
        let path = links.path::<webhooks::show>(id).unwrap_or_default();
        Self { path, map }
    }
}

/// A new secret of a webhook.
#[derive(Output)]
#[output(name = "WebhookSecret")]
pub(crate) struct SecretView {
    /// Secret that signs messages: `whsec_` and base64. It is shown only here.
    #[output(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(super) secret: String,
    /// Time until which the previous secret signs too.
    pub(super) previous_until: Timestamp,
}

/// A message to a webhook.
#[derive(Output)]
#[output(name = "WebhookDelivery", from = (Delivery, LinkMap))]
pub(crate) struct DeliveryView {
    /// Delivery id.
    id: DeliveryId,
    /// Message id, in the header `webhook-id`. It is the same for every attempt.
    message: MessageId,
    /// Event.
    event: EventName,
    /// Status.
    status: DeliveryStatus,
    /// The latest attempts, oldest first.
    attempts: Vec<Attempt>,
    /// Time of the next attempt, or null.
    next_try_at: Option<Timestamp>,
    /// Creation time.
    created_at: Timestamp,
    /// Links to the webhook and to the actions available to the caller.
    #[output(rename = "_links", value = link_map)]
    links: LinkMap,
}

impl DeliveryView {
    /// Returns the view of a delivery of this webhook.
    pub(super) fn of(delivery: Delivery, webhook: &Webhook, links: &Links) -> Self {
        let links = links.map().to::<webhooks::show>("webhook", &[&webhook.id]);
        let id: &[&dyn std::fmt::Display] = &[&webhook.id, &delivery.id];
        let links = links.to_if::<deliveries::redeliver>(webhook.enabled, "redeliver", id);
        (delivery, links.done()).into()
    }
}
