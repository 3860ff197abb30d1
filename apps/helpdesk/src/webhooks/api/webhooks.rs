//! Create, list, get, update and delete webhooks.

use std::sync::Arc;

use doyen::prelude::*;
use doyen::web::ApiVersion;

use super::shapes::{NewWebhook, WebhookChanges};
use super::view::{
    CreatedWebhookView, DeliveryView, NewSecret, SecretView, WebhookLinks, WebhookView,
};
use crate::access::{Scope, User};
use crate::webhooks::domain::{
    ChangeWebhook, CreateWebhook, Draft, EditWebhook, FindWebhook, SECRET_OVERLAP, WebhookId,
    Webhooks,
};

/// Create a webhook
///
/// The URL then receives a `POST` for each event, signed as in Standard Webhooks: with the headers
/// `webhook-id`, `webhook-timestamp` and `webhook-signature`. The body is a JSON object with
/// `type`, `timestamp` and `data`; the section `webhooks` of the OpenAPI document has its schemas.
/// A delivery that fails is tried again for about three days. Internal notes are never sent. The
/// secret is shown only in this response. The data of all messages has the shape of the API version
/// of this request.
#[post("/", allow = Scope::WebhooksWrite, idempotent)]
pub(crate) async fn create(
    me: User,
    webhooks: Webhooks,
    links: Links,
    version: ApiVersion,
    Json(new): Json<NewWebhook>,
) -> Result<Created<CreatedWebhookView>, CreateWebhook> {
    let mut draft: Draft = new.into();
    draft.api_version = version.name().map(str::to_owned);
    let (webhook, secret) = webhooks.create(me.id, draft).await?;
    let links = WebhookLinks::of(&webhook, &links);
    Ok(Created((webhook, NewSecret(secret), links).into()))
}

/// List webhooks
///
/// Webhooks are sorted by creation time, newest first.
#[get("/", allow = Scope::WebhooksWrite)]
pub(crate) async fn list(
    webhooks: Webhooks,
    links: Links,
    paging: Paging,
) -> Result<Page<WebhookView>, Unexpected> {
    let page = webhooks.list(&paging).await?;
    Ok(page.map(|webhook| {
        let links = WebhookLinks::of(&webhook, &links);
        (webhook, links).into()
    }))
}

/// Get a webhook
#[get("/{id}", allow = Scope::WebhooksWrite)]
pub(crate) async fn show(
    webhooks: Webhooks,
    links: Links,
    /// Webhook id.
    #[path]
    id: WebhookId,
) -> Result<Json<WebhookView>, FindWebhook> {
    let webhook = webhooks.find(id).await?;
    let links = WebhookLinks::of(&webhook, &links);
    Ok(Json((webhook, links).into()))
}

/// Update a webhook
///
/// Send the last known `ETag` as `If-Match`.
#[patch("/{id}", allow = Scope::WebhooksWrite, returns = "The updated webhook.")]
pub(crate) async fn edit(
    webhooks: Webhooks,
    links: Links,
    /// Webhook id.
    #[path]
    id: WebhookId,
    seen: IfMatch,
    MergePatch(changes): MergePatch<WebhookChanges>,
) -> Result<Json<WebhookView>, EditWebhook> {
    let webhook = webhooks.edit(id, seen.version(), changes.into()).await?;
    let links = WebhookLinks::of(&webhook, &links);
    Ok(Json((webhook, links).into()))
}

/// Delete a webhook
///
/// Deletes the webhook and its deliveries. Nothing more is sent.
#[delete("/{id}", allow = Scope::WebhooksWrite)]
pub(crate) async fn remove(
    webhooks: Webhooks,
    /// Webhook id.
    #[path]
    id: WebhookId,
) -> Result<NoContent, FindWebhook> {
    webhooks.remove(id).await?;
    Ok(NoContent)
}

/// Rotate the secret of a webhook
///
/// Messages are signed with the new and the previous secret for 24 hours, then with the new one
/// alone. The secret is shown only in this response.
#[post("/{id}/secret", allow = Scope::WebhooksWrite, returns = "The new secret. The response must not be cached.")]
pub(crate) async fn rotate(
    webhooks: Webhooks,
    clock: Arc<dyn Clock>,
    /// Webhook id.
    #[path]
    id: WebhookId,
) -> Result<NoStore<SecretView>, FindWebhook> {
    let secret = webhooks.rotate(id).await?;
    Ok(NoStore(SecretView {
        secret: secret.expose().clone(),
        previous_until: clock.now() + SECRET_OVERLAP,
    }))
}

/// Send a test event
///
/// Sends the event `webhook.test`. Its delivery is in the list of deliveries.
#[post("/{id}/test", allow = Scope::WebhooksWrite)]
pub(crate) async fn test(
    webhooks: Webhooks,
    links: Links,
    /// Webhook id.
    #[path]
    id: WebhookId,
) -> Result<Accepted<DeliveryView>, ChangeWebhook> {
    let (webhook, delivery) = webhooks.test(id).await?;
    Ok(Accepted(DeliveryView::of(delivery, &webhook, &links)))
}
