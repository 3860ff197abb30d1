//! Request types.

use doyen::prelude::*;

use crate::webhooks::domain::{Draft, Edit, EventName};

/// Webhook to create.
#[derive(Input)]
#[input(into = Draft, set(api_version = None))]
pub(crate) struct NewWebhook {
    /// URL that receives events: `https`, a public host, without user name and password.
    #[validate(length(min = 1, max = 2_048))]
    #[input(example = "https://example.com/hooks/helpdesk")]
    url: String,
    /// Events that are sent, without duplicates.
    #[validate(items(min = 1, max = 8), unique_items)]
    events: Vec<EventName>,
    /// Purpose of the webhook.
    #[validate(length(min = 1, max = 200))]
    #[input(example = "Chat of the support team")]
    description: Option<String>,
}

/// Changes to a webhook. Omitted fields keep their values.
#[derive(Input)]
#[input(into = Edit)]
pub(crate) struct WebhookChanges {
    /// New URL.
    #[validate(length(min = 1, max = 2_048))]
    url: Patch<String>,
    /// New events, without duplicates. They replace all existing ones.
    #[validate(items(min = 1, max = 8), unique_items)]
    events: Patch<Vec<EventName>>,
    /// New purpose. Null removes it.
    #[validate(length(min = 1, max = 200))]
    description: Patch<Option<String>>,
    /// True to send events, false to stop. A webhook that failed for days is disabled by the
    /// service; true enables it again.
    enabled: Patch<bool>,
}
