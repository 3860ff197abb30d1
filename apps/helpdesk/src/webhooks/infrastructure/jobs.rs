//! The queue of attempts: each is a job.

use std::sync::Arc;

use doyen::data::sea_orm::EntityTrait as _;
use doyen::data::{Database, Session};
use doyen::domain::{Access, Job, JobError, JobRun, Jobs, Mail, MailOutbox, NewJob, stable_hash};
use doyen::prelude::*;
use serde::{Deserialize, Serialize};

use super::rows::{self, delivery, webhook};
use super::secrets::Sealed;
use super::send::Sender;
use super::store::SqlWebhooks;
use crate::webhooks::WebhookSettings;
use crate::webhooks::domain::{
    Change, Delivery, DeliveryId, DeliveryQueue, DeliveryStatus, Webhook, WebhookId,
    WebhookRepository as _,
};

/// Tolerance for jobs that run a moment before the time of their attempt.
const EARLY: std::time::Duration = secs(1);

/// Enqueues attempts in the running unit of work.
#[derive(Clone, Inject)]
pub(crate) struct JobDeliveries {
    jobs: Jobs,
}

#[port]
impl DeliveryQueue for JobDeliveries {
    async fn enqueue(&self, delivery: &Delivery) -> Result<(), Unexpected> {
        let job = Deliver {
            webhook: delivery.webhook,
            delivery: delivery.id,
        };
        let job = match delivery.next_try_at {
            Some(at) => NewJob::new(job).at(at),
            None => NewJob::new(job),
        };
        self.jobs.enqueue(job).await?;
        Ok(())
    }
}

/// One attempt of a delivery.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Deliver {
    webhook: WebhookId,
    delivery: DeliveryId,
}

/// What an attempt needs.
#[derive(Clone, Inject)]
pub(crate) struct Deliverer {
    database: Arc<Database>,
    store: SqlWebhooks,
    sealed: Sealed,
    sender: Sender,
    queue: JobDeliveries,
    owners: Owners,
}

/// What the mail to an owner needs.
#[derive(Clone, Inject)]
pub(crate) struct Owners {
    session: Session,
    mails: Arc<dyn MailOutbox>,
    settings: Arc<WebhookSettings>,
    clock: Arc<dyn Clock>,
}

impl Job for Deliver {
    const NAME: &'static str = "webhooks.deliver";
    const QUEUE: &'static str = "webhooks";
    type Needs = Deliverer;
    type Output = ();

    /// The HTTP call is made before the job's Session is used: it would hold a connection, and on
    /// SQLite the only writer. After a crash between call and commit the message is sent again,
    /// with the same id.
    async fn run(self, with: Deliverer, _: JobRun) -> Result<(), JobError> {
        let Some((row, mut delivery)) = self.read(&with).await? else {
            return Ok(());
        };
        let now = with.owners.clock.now();
        let is_due = delivery.next_try_at.is_some_and(|at| at <= now + EARLY);
        if delivery.status != DeliveryStatus::Pending || !is_due {
            return Ok(());
        }
        if !row.enabled {
            delivery.give_up();
            return Ok(with.store.save_delivery(&delivery).await?);
        }
        let secrets = with.sealed.live(&row, now)?;
        let response = with.sender.send(&row.url, &secrets, &delivery).await;
        // It may have been changed or deleted meanwhile.
        let Some(mut webhook) = with.store.find(self.webhook).await? else {
            return Ok(());
        };
        let after = with.owners.settings.disable_after;
        let now = with.owners.clock.now();
        let spread = spread(&delivery);
        let change = delivery.record(&mut webhook, &response, now, after, spread);
        with.store.save_delivery(&delivery).await?;
        if change != Change::None {
            with.store.save_health(&webhook).await?;
        }
        if change == Change::Disabled {
            with.owners.notify(&webhook).await?;
        }
        if delivery.next_try_at.is_some() {
            with.queue.enqueue(&delivery).await?;
        }
        Ok(())
    }
}

impl Deliver {
    /// Reads the webhook and the delivery in a session that ends here.
    async fn read(
        &self,
        with: &Deliverer,
    ) -> Result<Option<(webhook::Model, Delivery)>, Unexpected> {
        let session = with.database.session(Access::Read);
        let row = webhook::Entity::find_by_id(self.webhook.uuid())
            .one(&session)
            .await?;
        let delivery = delivery::Entity::find_by_id(self.delivery.uuid())
            .one(&session)
            .await?;
        let delivery = delivery.map(rows::read_delivery).transpose()?;
        Ok(row.zip(delivery))
    }
}

/// A number from 0 to 1 that differs between deliveries and attempts.
fn spread(delivery: &Delivery) -> f64 {
    let (id, tries) = (delivery.id.to_string(), delivery.tries.to_string());
    let hash = stable_hash([id.as_str(), tries.as_str()]);
    f64::from(u32::try_from(hash >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

impl Owners {
    /// Sends a mail to the owner of a webhook that was disabled, if that is committed.
    async fn notify(&self, webhook: &Webhook) -> Result<(), Unexpected> {
        let sql = "SELECT email FROM users WHERE id = $1";
        let rows: Vec<Owner> = self
            .session
            .query_as(sql, [webhook.owner.uuid().into()])
            .await?;
        let Some(owner) = rows.into_iter().next() else {
            return Ok(());
        };
        let text = format!(
            "The webhook {} was disabled, because no delivery succeeded for days.\n\n\
             Its URL is {}\n\nCorrect the receiver, then enable the webhook again. Deliveries that \
             failed can be sent again.\n",
            webhook.id, webhook.url
        );
        let mail = Mail::new(owner.email, "A webhook was disabled", text)?;
        self.mails.send(mail).await
    }
}

/// The address of an owner.
#[derive(doyen::data::Row)]
struct Owner {
    email: String,
}

/// Removes old deliveries.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sweep {}

impl Job for Sweep {
    const NAME: &'static str = "webhooks.sweep";
    type Needs = Owners;
    type Output = ();

    async fn run(self, with: Owners, _: JobRun) -> Result<(), JobError> {
        use doyen::data::sea_orm::prelude::DateTimeUtc;
        let oldest = DateTimeUtc::from(with.clock.now() - with.settings.keep_deliveries);
        let sql = "DELETE FROM webhook_deliveries WHERE created_at < $1 AND status <> 'pending'";
        with.session.execute_sql(sql, [oldest.into()]).await?;
        Ok(())
    }
}
