//! Mail, and what of accounts hangs on it.

use std::sync::Arc;

use doyen_accounts::emails::EmailSettings;
use doyen_accounts::factor::FactorSettings;
use doyen_core::inject::ContainerBuilder;
use doyen_core::{Clock, Mailer};
use doyen_mail::Post;
use doyen_settings::Environment;

use crate::assemble::AssembleError;
use crate::settings::FrameworkSettings;

/// The way out for mails, and the settings that say what they say.
pub(crate) struct Mail {
    pub(crate) post: Arc<Post>,
    mailer: Arc<dyn Mailer>,
    email: EmailSettings,
    factor: FactorSettings,
}

/// Chooses the way out. `accounts` says that the application has them, and so has mails to send.
pub(crate) fn wire(
    title: &str,
    settings: &FrameworkSettings,
    environment: Environment,
    accounts: bool,
    replaced: Option<Arc<dyn Mailer>>,
    clock: &Arc<dyn Clock>,
) -> Result<Mail, AssembleError> {
    let mailer = match replaced {
        Some(mailer) => mailer,
        None => settings
            .mail
            .mailer(environment, accounts, clock)
            .map_err(|error| AssembleError::Setting {
                key: error.key,
                message: error.message,
            })?,
    };
    let none = settings.mail.transport == Some(doyen_mail::Transport::None);
    let mut email = settings.auth.email.clone();
    let local = format!("http://localhost:{}", settings.server.bind.port());
    // Without mails there are no links, and nothing to settle about them.
    let prod = environment.is_prod() && accounts;
    email
        .settle(prod, none, title, &local)
        .map_err(|message| AssembleError::Setting {
            key: "auth.email",
            message,
        })?;
    let mut factor = settings.auth.factor.clone();
    factor.issuer.get_or_insert_with(|| title.to_owned());
    Ok(Mail {
        post: Arc::new(Post::new(Arc::clone(&mailer))),
        mailer,
        email,
        factor,
    })
}

impl Mail {
    pub(crate) fn provide(self, settings: &FrameworkSettings, container: &mut ContainerBuilder) {
        container.provide(self.mailer);
        container.provide(self.post);
        container.provide(Arc::new(self.email));
        container.provide(Arc::new(self.factor));
        container.provide(Arc::new(settings.auth.throttle.clone()));
    }
}
