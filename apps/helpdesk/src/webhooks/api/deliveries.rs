//! Deliveries of webhooks.

use doyen::prelude::*;

use super::view::DeliveryView;
use crate::access::Scope;
use crate::webhooks::domain::{DeliveryId, FindDelivery, FindWebhook, WebhookId, Webhooks};

/// List deliveries
///
/// Deliveries are sorted by creation time, newest first, each with its latest attempts. They are
/// kept for 30 days.
#[get("/{id}/deliveries", allow = Scope::WebhooksWrite)]
pub(crate) async fn list_deliveries(
    webhooks: Webhooks,
    links: Links,
    /// Webhook id.
    #[path]
    id: WebhookId,
    paging: Paging,
) -> Result<Page<DeliveryView>, FindWebhook> {
    let (webhook, page) = webhooks.deliveries(id, &paging).await?;
    Ok(page.map(|delivery| DeliveryView::of(delivery, &webhook, &links)))
}

/// Redeliver a message
///
/// Sends the message again with the same `webhook-id`, even if it was delivered.
#[post("/{id}/deliveries/{delivery}/redeliver", allow = Scope::WebhooksWrite)]
pub(crate) async fn redeliver(
    webhooks: Webhooks,
    links: Links,
    /// Webhook id.
    #[path]
    id: WebhookId,
    /// Delivery id.
    #[path]
    delivery: DeliveryId,
) -> Result<Accepted<DeliveryView>, FindDelivery> {
    let (webhook, delivery) = webhooks.redeliver(id, delivery).await?;
    Ok(Accepted(DeliveryView::of(delivery, &webhook, &links)))
}
