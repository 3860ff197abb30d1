//! Receives webhooks, and verifies their signatures.

use std::sync::Arc;

use doyen::prelude::*;
use doyen::webhooks::{Verified, WebhookSecret, WebhookSource};

/// Settings of the shop.
#[derive(Clone, Debug, Settings)]
pub struct ShopSettings {
    /// Secret of the webhook at the payment provider: `whsec_...`.
    pub payment_secret: Secret<String>,
}

/// The payment provider as a sender of webhooks.
#[derive(Clone, Inject)]
struct Payments {
    settings: Arc<ShopSettings>,
}

impl WebhookSource for Payments {
    fn secrets(&self) -> Vec<WebhookSecret> {
        let secret = WebhookSecret::parse(self.settings.payment_secret.expose());
        secret.into_iter().collect()
    }
}

/// An event of the payment provider.
#[derive(Input)]
#[input(allow_unknown)]
struct PaymentEvent {
    /// Kind of event.
    #[input(rename = "type")]
    kind: String,
}

/// Receive an event of the payment provider
#[post("/hooks/payments", allow = anyone)]
async fn receive(event: Verified<Payments, PaymentEvent>) -> Text {
    // A message can arrive twice: `event.id` is then the same.
    Text(format!("{}: {}", event.id, event.payload.kind))
}

/// Builds the application.
pub fn app() -> App {
    App::new("shop")
        .settings::<ShopSettings>()
        .module(Module::new("hooks").routes(routes![receive]))
}
