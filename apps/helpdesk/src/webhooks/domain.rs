//! Webhooks and their deliveries.
//!
//! | module | contents |
//! | --- | --- |
//! | `webhook` | the webhook, and the events that it can subscribe to |
//! | `delivery` | a message to a webhook, its attempts, and when the next one is due |
//! | `problems` | problems that clients receive |
//! | `ports` | dependencies of the domain |
//! | `service` | operations for handlers |
//! | `outcome` | what an attempt changes |
//!
//! A webhook belongs to the helpdesk, not to a person: each administrator manages all of them. The
//! one who created it gets a mail if it is disabled.
//!
//! **Internal notes never leave the helpdesk.** A webhook is a URL: the helpdesk does not know who
//! reads what arrives there. Neither the event of a note is sent, nor its text or its count.

mod delivery;
mod outcome;
mod ports;
mod problems;
mod service;
mod webhook;

pub use delivery::{Attempt, Delivery, DeliveryId, DeliveryStatus, MessageId};
pub use outcome::{Change, MAX_ATTEMPTS, Response};
pub use ports::{AddressCheck, DeliveryQueue, EventShapes, SecretSource, WebhookRepository};
pub use problems::{
    ChangeWebhook, CreateWebhook, DeliveryNotFound, EditWebhook, FindDelivery, FindWebhook,
    ForbiddenAddress, StaleWebhook, TooManyWebhooks, WebhookDisabled, WebhookNotFound,
};
pub use service::Webhooks;
pub use webhook::{Draft, Edit, EventName, SECRET_OVERLAP, Webhook, WebhookId};

#[cfg(test)]
mod tests;
