//! Operations on webhooks.

use std::sync::Arc;

use doyen::domain::{Clock, Inject, Page, Paging, Secret, Unexpected};

use super::{
    AddressCheck, ChangeWebhook, CreateWebhook, Delivery, DeliveryId, DeliveryNotFound,
    DeliveryQueue, Draft, Edit, EditWebhook, EventName, EventShapes, FindDelivery, FindWebhook,
    ForbiddenAddress, MessageId, SECRET_OVERLAP, SecretSource, StaleWebhook, TooManyWebhooks,
    Webhook, WebhookDisabled, WebhookId, WebhookNotFound, WebhookRepository,
};
use crate::access::UserId;

/// Maximum number of webhooks. Each event is a delivery for each of them.
const MAX_WEBHOOKS: u64 = 100;

/// Operations on webhooks, for handlers.
#[derive(Clone, Inject)]
pub struct Webhooks {
    repository: Arc<dyn WebhookRepository>,
    secrets: Arc<dyn SecretSource>,
    addresses: Arc<dyn AddressCheck>,
    queue: Arc<dyn DeliveryQueue>,
    shapes: Arc<dyn EventShapes>,
    clock: Arc<dyn Clock>,
}

impl Webhooks {
    /// Creates the service from its dependencies, without a container.
    pub fn new(
        repository: Arc<dyn WebhookRepository>,
        secrets: Arc<dyn SecretSource>,
        addresses: Arc<dyn AddressCheck>,
        queue: Arc<dyn DeliveryQueue>,
        shapes: Arc<dyn EventShapes>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            repository,
            secrets,
            addresses,
            queue,
            shapes,
            clock,
        }
    }

    /// Creates a webhook. Returns it with its secret, which is not shown again.
    pub async fn create(
        &self,
        owner: UserId,
        draft: Draft,
    ) -> Result<(Webhook, Secret<String>), CreateWebhook> {
        self.check(&draft.url).await?;
        if self.repository.count().await? >= MAX_WEBHOOKS {
            return Err(TooManyWebhooks.into());
        }
        let webhook = Webhook::new(draft, owner, self.clock.now());
        let secret = self.secrets.secret().await?;
        self.repository.insert(&webhook, &secret).await?;
        Ok((webhook, secret))
    }

    /// Returns a page of webhooks.
    pub async fn list(&self, paging: &Paging) -> Result<Page<Webhook>, Unexpected> {
        self.repository.list(paging).await
    }

    /// Returns a webhook.
    pub async fn find(&self, id: WebhookId) -> Result<Webhook, FindWebhook> {
        Ok(self.repository.find(id).await?.ok_or(WebhookNotFound)?)
    }

    /// Changes a webhook if it still has the version `seen`; `None` matches any version.
    pub async fn edit(
        &self,
        id: WebhookId,
        seen: Option<i64>,
        edit: Edit,
    ) -> Result<Webhook, EditWebhook> {
        let read = self.repository.find(id).await?.ok_or(WebhookNotFound)?;
        if seen.is_some_and(|seen| seen != read.version) {
            return Err(StaleWebhook.into());
        }
        let mut changed = read.clone();
        changed.edit(edit);
        if changed == read {
            return Ok(read);
        }
        if changed.url != read.url {
            self.check(&changed.url).await?;
        }
        changed.touch(self.clock.now());
        if !self.repository.replace(read.version, &changed).await? {
            return Err(StaleWebhook.into());
        }
        Ok(changed)
    }

    /// Deletes a webhook with its deliveries.
    pub async fn remove(&self, id: WebhookId) -> Result<(), FindWebhook> {
        match self.repository.remove(id).await? {
            true => Ok(()),
            false => Err(WebhookNotFound.into()),
        }
    }

    /// Replaces the secret and returns the new one. The previous one signs too for a day.
    pub async fn rotate(&self, id: WebhookId) -> Result<Secret<String>, FindWebhook> {
        self.find(id).await?;
        let secret = self.secrets.secret().await?;
        let until = self.clock.now() + SECRET_OVERLAP;
        self.repository.rotate(id, &secret, until).await?;
        Ok(secret)
    }

    /// Sends a test.
    pub async fn test(&self, id: WebhookId) -> Result<(Webhook, Delivery), ChangeWebhook> {
        let webhook = self.repository.find(id).await?.ok_or(WebhookNotFound)?;
        if !webhook.enabled {
            return Err(WebhookDisabled.into());
        }
        let data = format!(r#"{{"webhook":"{id}"}}"#);
        let delivery = self
            .deliver(&webhook, MessageId::new(), EventName::Test, &data)
            .await?;
        Ok((webhook, delivery))
    }

    /// Sends an event to the webhooks that want it, to each in the shape of its version. `data` is
    /// JSON in the shape of the newest one.
    pub async fn publish(
        &self,
        message: MessageId,
        event: EventName,
        data: &str,
    ) -> Result<(), Unexpected> {
        for webhook in self.repository.subscribed(event).await? {
            let version = webhook.api_version.as_deref();
            let data = self.shapes.shape(version, event, data).await?;
            self.deliver(&webhook, message, event, &data).await?;
        }
        Ok(())
    }

    /// Returns true if a webhook wants this event.
    pub async fn wants(&self, event: EventName) -> Result<bool, Unexpected> {
        Ok(!self.repository.subscribed(event).await?.is_empty())
    }

    /// Returns a webhook and a page of its deliveries.
    pub async fn deliveries(
        &self,
        id: WebhookId,
        paging: &Paging,
    ) -> Result<(Webhook, Page<Delivery>), FindWebhook> {
        let webhook = self.find(id).await?;
        Ok((webhook, self.repository.deliveries(id, paging).await?))
    }

    /// Sends a delivery again, even if it succeeded.
    pub async fn redeliver(
        &self,
        id: WebhookId,
        delivery: DeliveryId,
    ) -> Result<(Webhook, Delivery), FindDelivery> {
        let webhook = self.repository.find(id).await?.ok_or(WebhookNotFound)?;
        let found = self.repository.delivery(id, delivery).await?;
        let mut found = found.ok_or(DeliveryNotFound)?;
        if !webhook.enabled {
            return Err(WebhookDisabled.into());
        }
        found.repeat(self.clock.now());
        self.repository.save_delivery(&found).await?;
        self.queue.enqueue(&found).await?;
        Ok((webhook, found))
    }

    async fn deliver(
        &self,
        webhook: &Webhook,
        message: MessageId,
        event: EventName,
        data: &str,
    ) -> Result<Delivery, Unexpected> {
        let (now, name) = (self.clock.now(), event.as_str());
        // The three members that Standard Webhooks recommends.
        let payload = format!(r#"{{"type":"{name}","timestamp":"{now}","data":{data}}}"#);
        let delivery = Delivery::new(webhook.id, message, event, payload, now);
        self.repository.add_delivery(&delivery).await?;
        self.queue.enqueue(&delivery).await?;
        Ok(delivery)
    }

    async fn check(&self, url: &str) -> Result<(), ForbiddenAddress> {
        match self.addresses.refusal(url).await {
            Some(reason) => Err(ForbiddenAddress::new(&reason)),
            None => Ok(()),
        }
    }
}
