//! The job that delivers a mail.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{Job, JobError, JobRun, Mail, Mailer, Unexpected};
use serde::{Deserialize, Serialize};

use crate::seal::MailSeal;

/// Delivers a mail, at least once: a crash between the delivery and the commit repeats it.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliverMail {
    /// `None` for [`MailOutbox::send_nothing`](doyen_core::MailOutbox::send_nothing).
    sealed: Option<String>,
}

impl DeliverMail {
    pub(crate) fn new(seal: &MailSeal, mail: Option<&Mail>) -> Result<Self, Unexpected> {
        let sealed = mail.map(|mail| seal.seal(mail)).transpose()?;
        Ok(Self { sealed })
    }
}

impl Job for DeliverMail {
    const NAME: &'static str = "mail.deliver";
    const QUEUE: &'static str = "mail";
    // With the doubled pauses somewhat more than two hours.
    const MAX_ATTEMPTS: u32 = 14;
    // Longer than the longest `mail.timeout`.
    const TIMEOUT: Duration = Duration::from_secs(6 * 60);
    type Needs = (Arc<dyn Mailer>, Arc<MailSeal>);
    type Output = ();

    async fn run(self, (mailer, seal): Self::Needs, _: JobRun) -> Result<(), JobError> {
        let Some(sealed) = self.sealed else {
            return Ok(());
        };
        let mail = seal.open(&sealed).map_err(JobError::Permanent)?;
        match mailer.deliver(&mail).await {
            Ok(()) => Ok(()),
            Err(error) if error.may_try_again() => Err(error.into()),
            Err(error) => Err(JobError::permanent(error)),
        }
    }
}
