//! The settings and the key of webhooks, as a plugin of the application.

use std::sync::Arc;
use std::time::Duration;

use doyen::app::{Manifest, Plugin, Registrar, SetupError};
use doyen::domain::event::EventHandler;
use doyen::domain::{JobHandler, NewJob, Schedule};
use doyen::outbound::upstream;
use doyen::prelude::*;

use super::infrastructure::{Deliver, Receivers, Sweep, WebhookKey, fan_out};

/// Webhooks of the helpdesk: their settings, their key and the client that calls them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WebhooksPlugin;

/// Webhooks.
#[derive(Clone, Debug, Settings)]
pub struct WebhookSettings {
    /// Allow URLs with private addresses. For development and tests: it lets callers that create
    /// webhooks reach the internal network.
    #[setting(default = false)]
    pub allow_private: bool,
    /// Time of failures without a success after which a webhook is disabled. Its owner gets a mail.
    #[setting(default = "5d", min = "1h", max = "60d")]
    pub disable_after: Duration,
    /// Time that deliveries are kept.
    #[setting(default = "30d", min = "5d", max = "365d")]
    pub keep_deliveries: Duration,
}

impl Plugin for WebhooksPlugin {
    const NAME: &'static str = "webhooks";
    type Settings = WebhookSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("Webhooks: events of tickets, sent to URLs of the administrators")
            .requires("outbound")
            .requires("events")
            .requires("jobs");
    }

    fn register(
        self,
        settings: WebhookSettings,
        app: &mut Registrar<'_>,
    ) -> Result<(), SetupError> {
        app.contribute(upstream::<Receivers>());
        // An event that keeps failing holds back no others: webhooks promise no order.
        let handler = EventHandler::new("webhooks", fan_out).on_topics(["ticket.*"]);
        app.contribute(handler.skip_parked());
        app.contribute(JobHandler::of::<Deliver>());
        app.contribute(JobHandler::of::<Sweep>());
        app.contribute(Schedule::new("webhooks sweep", "17 3 * * *", || {
            NewJob::new(Sweep {})
        }));
        let key = app.derive_key("helpdesk/webhooks");
        app.provide(Arc::new(WebhookKey(key)));
        app.provide(Arc::new(settings));
        Ok(())
    }
}
