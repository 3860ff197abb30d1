//! Webhooks and deliveries in the database.

use doyen::data::sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait as _, QueryFilter, Set};
use doyen::data::{Order, Session, UpdateError};
use doyen::prelude::*;

use super::rows::{self, delivery, webhook};
use super::secrets::Sealed;
use crate::webhooks::domain::{
    Delivery, DeliveryId, EventName, Webhook, WebhookId, WebhookRepository,
};

/// Stores webhooks in SQLite or PostgreSQL.
#[derive(Clone, Inject)]
pub(crate) struct SqlWebhooks {
    session: Session,
    sealed: Sealed,
}

#[port]
impl WebhookRepository for SqlWebhooks {
    async fn insert(&self, new: &Webhook, secret: &Secret<String>) -> Result<(), Unexpected> {
        let sealed = self.sealed.seal(new.id, secret)?;
        webhook::Entity::insert(rows::new(new, sealed))
            .exec_without_returning(&self.session)
            .await?;
        Ok(())
    }

    async fn count(&self) -> Result<u64, Unexpected> {
        Ok(webhook::Entity::find().count(&self.session).await?)
    }

    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, Unexpected> {
        let row = webhook::Entity::find_by_id(id.uuid())
            .one(&self.session)
            .await?;
        row.map(rows::read).transpose()
    }

    async fn list(&self, paging: &Paging) -> Result<Page<Webhook>, Unexpected> {
        let order = Order::by(webhook::Column::CreatedAt)
            .desc()
            .then(webhook::Column::Id)
            .desc();
        let select = webhook::Entity::find();
        let page = self.session.page(select, order, paging, &()).await?;
        page.try_map(rows::read)
    }

    async fn subscribed(&self, event: EventName) -> Result<Vec<Webhook>, Unexpected> {
        // There are at most a hundred.
        let rows = webhook::Entity::find()
            .filter(webhook::Column::Enabled.eq(true))
            .all(&self.session)
            .await?;
        let all = rows.into_iter().map(rows::read);
        let mut all = all.collect::<Result<Vec<_>, _>>()?;
        all.retain(|webhook| webhook.wants(event));
        Ok(all)
    }

    async fn replace(&self, version: i64, changed: &Webhook) -> Result<bool, Unexpected> {
        let row = rows::changed(changed);
        let updated = self
            .session
            .update_version(row, webhook::Column::Version, version);
        match updated.await {
            Ok(_) => Ok(true),
            Err(UpdateError::Stale | UpdateError::Missing) => Ok(false),
            Err(UpdateError::Database(error)) => Err(error.into()),
        }
    }

    async fn rotate(
        &self,
        id: WebhookId,
        secret: &Secret<String>,
        previous_until: Timestamp,
    ) -> Result<(), Unexpected> {
        let sealed = self.sealed.seal(id, secret)?;
        // In one statement: of two concurrent changes, each keeps the other's secret alive.
        let sql = "UPDATE webhooks SET previous_secret = secret, previous_until = $1, secret = $2
            WHERE id = $3";
        let until = doyen::data::sea_orm::prelude::DateTimeUtc::from(previous_until);
        let parameters = [until.into(), sealed.into(), id.uuid().into()];
        self.session.execute_sql(sql, parameters).await?;
        Ok(())
    }

    async fn remove(&self, id: WebhookId) -> Result<bool, Unexpected> {
        let removed = webhook::Entity::delete_by_id(id.uuid())
            .exec(&self.session)
            .await?;
        Ok(removed.rows_affected > 0)
    }

    async fn add_delivery(&self, new: &Delivery) -> Result<(), Unexpected> {
        delivery::Entity::insert(rows::delivery_row(new))
            .exec_without_returning(&self.session)
            .await?;
        Ok(())
    }

    async fn delivery(
        &self,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, Unexpected> {
        let row = delivery::Entity::find_by_id(id.uuid())
            .filter(delivery::Column::WebhookId.eq(webhook.uuid()))
            .one(&self.session)
            .await?;
        row.map(rows::read_delivery).transpose()
    }

    async fn deliveries(
        &self,
        webhook: WebhookId,
        paging: &Paging,
    ) -> Result<Page<Delivery>, Unexpected> {
        let order = Order::by(delivery::Column::CreatedAt)
            .desc()
            .then(delivery::Column::Id)
            .desc();
        let select =
            delivery::Entity::find().filter(delivery::Column::WebhookId.eq(webhook.uuid()));
        let values = webhook.to_string();
        let page = self.session.page(select, order, paging, &values).await?;
        page.try_map(rows::read_delivery)
    }

    async fn save_delivery(&self, changed: &Delivery) -> Result<(), Unexpected> {
        delivery::Entity::update_many()
            .set(rows::delivery_row(changed))
            .filter(delivery::Column::Id.eq(changed.id.uuid()))
            .exec(&self.session)
            .await?;
        Ok(())
    }
}

impl SqlWebhooks {
    /// Stores what attempts change: whether it is enabled, and since when it fails. The version
    /// stays, so that a user who edits the webhook meanwhile is not refused.
    pub(super) async fn save_health(&self, changed: &Webhook) -> Result<(), Unexpected> {
        let row = webhook::ActiveModel {
            enabled: Set(changed.enabled),
            failing_since: Set(changed.failing_since.map(Into::into)),
            ..Default::default()
        };
        webhook::Entity::update_many()
            .set(row)
            .filter(webhook::Column::Id.eq(changed.id.uuid()))
            .exec(&self.session)
            .await?;
        Ok(())
    }
}
