//! Problems of webhooks that clients receive.

use doyen::domain::{At, Failures, Place, Problem, Unexpected};

/// The webhook does not exist. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub struct WebhookNotFound;

/// The delivery does not exist, or is older than deliveries are kept. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub struct DeliveryNotFound;

/// The webhook has changed since it was read. Read it again, and repeat the change with the new
/// `ETag`.
#[derive(Debug, Problem)]
#[problem(precondition_failed, code = "precondition_failed")]
pub struct StaleWebhook;

/// There are as many webhooks as the helpdesk allows. Delete one that is not needed.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub struct TooManyWebhooks;

/// The URL cannot be called: it leads to a private, loopback or reserved address, or has a scheme,
/// a port or credentials that are not permitted. Use the `https` URL of a public host.
#[derive(Debug, Problem)]
#[problem(invalid)]
pub struct ForbiddenAddress(#[problem(failures)] Failures);

impl ForbiddenAddress {
    /// Creates the problem, which points at the field `url`.
    pub fn new(reason: &str) -> Self {
        let mut failures = Failures::new();
        At::root(Place::Body)
            .field("url")
            .fail(&mut failures, "forbidden_address", reason);
        Self(failures)
    }
}

/// Errors when creating a webhook.
#[derive(Debug, Problem)]
pub enum CreateWebhook {
    /// The URL cannot be called.
    #[problem(transparent)]
    Address(ForbiddenAddress),
    /// There are too many webhooks.
    #[problem(transparent)]
    TooMany(TooManyWebhooks),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when reading a webhook.
#[derive(Debug, Problem)]
pub enum FindWebhook {
    /// The webhook does not exist.
    #[problem(transparent)]
    Missing(WebhookNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when updating a webhook.
#[derive(Debug, Problem)]
pub enum EditWebhook {
    /// The webhook does not exist.
    #[problem(transparent)]
    Missing(WebhookNotFound),
    /// The webhook has changed since the caller read it.
    #[problem(transparent)]
    Stale(StaleWebhook),
    /// The URL cannot be called.
    #[problem(transparent)]
    Address(ForbiddenAddress),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when acting on a delivery.
#[derive(Debug, Problem)]
pub enum FindDelivery {
    /// The webhook does not exist.
    #[problem(transparent)]
    Webhook(WebhookNotFound),
    /// The delivery does not exist.
    #[problem(transparent)]
    Missing(DeliveryNotFound),
    /// The webhook is disabled.
    #[problem(transparent)]
    Disabled(WebhookDisabled),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The webhook is disabled, so that nothing is sent. Enable it with `PATCH` and `enabled`.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub struct WebhookDisabled;

/// Errors when sending a test.
#[derive(Debug, Problem)]
pub enum ChangeWebhook {
    /// The webhook does not exist.
    #[problem(transparent)]
    Missing(WebhookNotFound),
    /// The webhook is disabled.
    #[problem(transparent)]
    Disabled(WebhookDisabled),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
