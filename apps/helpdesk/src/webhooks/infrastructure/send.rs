//! One attempt: signs a message and sends it.

use std::sync::Arc;
use std::time::Instant;

use doyen::outbound::{Addresses, CallErrorKind, Client, Upstream};
use doyen::prelude::*;
use doyen::webhooks::{WebhookSecret, sign};

use crate::webhooks::WebhookSettings;
use crate::webhooks::domain::{AddressCheck, Delivery, Response};

/// The receivers of webhooks: `[outbound.webhooks]`. Their URLs come from users.
pub(crate) struct Receivers;

impl Upstream for Receivers {
    const NAME: &'static str = "webhooks";
}

/// The addresses that the settings allow.
fn addresses(settings: &WebhookSettings) -> Addresses {
    match settings.allow_private {
        true => Addresses::Any,
        false => Addresses::Public,
    }
}

/// Checks URLs with the guard of the client.
#[derive(Clone, Inject)]
pub(crate) struct GuardedAddresses {
    client: Client<Receivers>,
    settings: Arc<WebhookSettings>,
}

#[port]
impl AddressCheck for GuardedAddresses {
    async fn refusal(&self, url: &str) -> Option<String> {
        let checked = self.client.check(url, addresses(&self.settings)).await;
        checked.err().map(|why| why.to_string())
    }
}

/// Sends messages.
#[derive(Clone, Inject)]
pub(super) struct Sender {
    client: Client<Receivers>,
    settings: Arc<WebhookSettings>,
    clock: Arc<dyn Clock>,
}

impl Sender {
    /// Makes one attempt.
    pub(super) async fn send(
        &self,
        url: &str,
        secrets: &[WebhookSecret],
        delivery: &Delivery,
    ) -> Response {
        let secrets: Vec<&WebhookSecret> = secrets.iter().collect();
        let (id, body) = (delivery.message.to_string(), delivery.payload.clone());
        let headers = sign(&secrets, &id, self.clock.now(), body.as_bytes());
        let call = self.client.post(url).addresses(addresses(&self.settings));
        let call = headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value));
        let started = Instant::now();
        let sent = call.body("application/json", body).send().await;
        let duration = started.elapsed();
        match sent {
            Ok(response) => {
                let status = response.status().as_u16();
                let retry_after = response
                    .success()
                    .err()
                    .and_then(|error| error.retry_after());
                Response {
                    status: Some(status),
                    duration,
                    retry_after,
                    ..Response::default()
                }
            }
            Err(error) => Response {
                error: Some(reason(error.kind()).to_owned()),
                duration,
                retry_after: error.retry_after(),
                ..Response::default()
            },
        }
    }
}

/// What the owner of a webhook sees. Details of the network stay in the log.
fn reason(kind: CallErrorKind) -> &'static str {
    match kind {
        CallErrorKind::Forbidden => "the address is forbidden",
        CallErrorKind::Timeout => "no response in time",
        CallErrorKind::Connect => "no connection",
        CallErrorKind::BreakerOpen => "the host failed too often: paused",
        CallErrorKind::Saturated => "too many deliveries at once",
        CallErrorKind::TooLarge => "the response is too large",
        _ => "the connection was lost",
    }
}
