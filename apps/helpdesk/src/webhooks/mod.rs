//! Webhooks: URLs that receive the events of tickets, signed.
//!
//! An event becomes one delivery for each webhook that wants it, in the same transaction that marks
//! the event as handled. A job makes each attempt: it signs the message, sends it, and stores the
//! result together with the time of the next attempt.

mod api;
pub mod domain;
mod infrastructure;
mod plugin;

use doyen::prelude::*;

use domain::{AddressCheck, DeliveryQueue, EventShapes, SecretSource, WebhookRepository};

pub(crate) use api::messages::messages;
pub use plugin::WebhookSettings;
pub(crate) use plugin::WebhooksPlugin;

/// The module with webhooks and their deliveries.
pub fn module() -> Module {
    Module::new("webhooks")
        .describe("Webhooks and their deliveries.")
        .routes(
            routes![
                api::webhooks::create,
                api::webhooks::list,
                api::webhooks::show,
                api::webhooks::edit,
                api::webhooks::remove,
                api::webhooks::rotate,
                api::webhooks::test,
                api::deliveries::list_deliveries,
                api::deliveries::redeliver
            ]
            .at("/v1/webhooks"),
        )
        .bind::<dyn WebhookRepository, infrastructure::SqlWebhooks>()
        .bind::<dyn SecretSource, infrastructure::NewSecrets>()
        .bind::<dyn AddressCheck, infrastructure::GuardedAddresses>()
        .bind::<dyn DeliveryQueue, infrastructure::JobDeliveries>()
        .bind::<dyn EventShapes, infrastructure::VersionedShapes>()
        .entity::<infrastructure::rows::webhook::Entity>()
        .entity::<infrastructure::rows::delivery::Entity>()
}
