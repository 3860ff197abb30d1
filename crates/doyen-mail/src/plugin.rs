//! Outgoing mail as a plugin.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::{Manifest, Plugin, Registrar, SetupError, Stop};
use doyen_core::{JobHandler, MailDelivery, MailOutbox, MailQueue, Mailer};

use crate::job::DeliverMail;
use crate::outbox::{JobOutbox, MemoryOutbox};
use crate::seal::MailSeal;
use crate::{MailSettings, MailWorker, Transport};

/// Maximum time to deliver the mails that wait when the application stops. The queue gets less if
/// the stop of the application has less time left.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Outgoing mail: provides the ports [`Mailer`], [`MailQueue`] and [`MailOutbox`].
///
/// In `prod`, `mail.transport` must be set if another plugin requires this one.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailPlugin;

/// A mailer that is used whatever the settings say: an extension point for tests.
#[derive(Clone)]
pub struct MailerOverride(pub Arc<dyn Mailer>);

impl std::fmt::Debug for MailerOverride {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailerOverride").finish_non_exhaustive()
    }
}

impl Plugin for MailPlugin {
    const NAME: &'static str = "mail";
    type Settings = MailSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("Outgoing mail, in a queue").after("jobs");
    }

    fn register(self, settings: MailSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        let mailer = match app.contributions::<MailerOverride>().pop() {
            Some(MailerOverride(mailer)) => mailer,
            None => settings
                .mailer(app.info().environment, app.is_required(), &app.clock())
                .map_err(|error| SetupError::setting(error.key, error.message))?,
        };
        app.contribute(match settings.transport {
            Some(Transport::None) => MailDelivery::Off,
            _ => MailDelivery::On,
        });
        let worker = Arc::new(MailWorker::new(Arc::clone(&mailer)));
        app.provide::<dyn Mailer>(mailer);
        app.provide::<dyn MailQueue>(Arc::clone(&worker) as Arc<dyn MailQueue>);
        app.provide(worker);
        if app.has("jobs") {
            app.provide(Arc::new(MailSeal::new(app.derive_key("mail jobs"))));
            app.bind::<dyn MailOutbox, JobOutbox>();
            app.contribute(JobHandler::of::<DeliverMail>());
        } else {
            app.bind::<dyn MailOutbox, MemoryOutbox>();
        }
        app.service("mail queue", |worker: Arc<MailWorker>| async move {
            Ok(Stop::with(move || async move {
                if !worker.flush(FLUSH_TIMEOUT).await {
                    tracing::warn!(target: "mail", "some mails were not delivered before the stop");
                }
            }))
        });
        Ok(())
    }
}
