//! Dependencies of the domain.

use doyen::domain::{Page, Paging, Secret, Timestamp, Unexpected, port};

use super::{Delivery, DeliveryId, EventName, Webhook, WebhookId};

/// Stores webhooks, their secrets and their deliveries.
#[port]
pub trait WebhookRepository {
    /// Stores a new webhook with its secret.
    async fn insert(&self, webhook: &Webhook, secret: &Secret<String>) -> Result<(), Unexpected>;

    /// Returns the number of webhooks.
    async fn count(&self) -> Result<u64, Unexpected>;

    /// Returns the webhook with this id.
    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, Unexpected>;

    /// Returns a page of webhooks, newest first.
    async fn list(&self, paging: &Paging) -> Result<Page<Webhook>, Unexpected>;

    /// Returns the enabled webhooks that want this event.
    async fn subscribed(&self, event: EventName) -> Result<Vec<Webhook>, Unexpected>;

    /// Replaces a webhook that still has this version. Returns false, without writing, after a
    /// concurrent change.
    async fn replace(&self, version: i64, changed: &Webhook) -> Result<bool, Unexpected>;

    /// Replaces the secret. The current one signs too until this time.
    async fn rotate(
        &self,
        id: WebhookId,
        secret: &Secret<String>,
        previous_until: Timestamp,
    ) -> Result<(), Unexpected>;

    /// Deletes a webhook with its deliveries. Returns false if it does not exist.
    async fn remove(&self, id: WebhookId) -> Result<bool, Unexpected>;

    /// Stores a new delivery.
    async fn add_delivery(&self, delivery: &Delivery) -> Result<(), Unexpected>;

    /// Returns a delivery of this webhook.
    async fn delivery(
        &self,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, Unexpected>;

    /// Returns a page of the deliveries of a webhook, newest first.
    async fn deliveries(
        &self,
        webhook: WebhookId,
        paging: &Paging,
    ) -> Result<Page<Delivery>, Unexpected>;

    /// Stores the state of a delivery.
    async fn save_delivery(&self, delivery: &Delivery) -> Result<(), Unexpected>;
}

/// Creates secrets.
#[port]
pub trait SecretSource {
    /// Returns a new secret, `whsec_...`.
    async fn secret(&self) -> Result<Secret<String>, Unexpected>;
}

/// Gives the data of events the shape of a version of the API.
#[port]
pub trait EventShapes {
    /// Returns the data of an event, JSON, as clients of this version know it. `None` stands for
    /// the newest version.
    async fn shape(
        &self,
        version: Option<&str>,
        event: EventName,
        data: &str,
    ) -> Result<String, Unexpected>;
}

/// Decides which URLs may be called.
#[port]
pub trait AddressCheck {
    /// Returns the reason if this URL must not be called.
    async fn refusal(&self, url: &str) -> Option<String>;
}

/// Delivers in the background, once the unit of work is committed.
#[port]
pub trait DeliveryQueue {
    /// Makes the next attempt of this delivery at its time.
    async fn enqueue(&self, delivery: &Delivery) -> Result<(), Unexpected>;
}
