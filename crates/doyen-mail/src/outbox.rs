//! Mails as background jobs, so that a crash loses none.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use doyen_core::inject::BoxFuture;
use doyen_core::{Inject, Job, JobError, JobRun, Jobs, Mail, MailOutbox, Mailer, Unexpected};
use serde::{Deserialize, Serialize};

/// Without jobs: the queue in memory delivers the mails.
pub(crate) struct NoOutbox;

impl MailOutbox for NoOutbox {
    fn store(&self, mail: Mail) -> BoxFuture<'_, Result<Option<Mail>, Unexpected>> {
        Box::pin(std::future::ready(Ok(Some(mail))))
    }
}

/// Enqueues each mail in the unit of work that it belongs to.
#[derive(Clone, Inject)]
pub(crate) struct JobOutbox {
    jobs: Jobs,
    seal: Arc<MailSeal>,
}

impl MailOutbox for JobOutbox {
    fn store(&self, mail: Mail) -> BoxFuture<'_, Result<Option<Mail>, Unexpected>> {
        Box::pin(async move {
            let sealed = self.seal.seal(&mail)?;
            self.jobs.enqueue(DeliverMail { sealed }).await?;
            Ok(None)
        })
    }
}

/// Delivers a mail. It is delivered at least once: a crash after the delivery repeats it.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliverMail {
    sealed: String,
}

impl Job for DeliverMail {
    const NAME: &'static str = "mail.deliver";
    const QUEUE: &'static str = "mail";
    // With the doubled pauses about two hours.
    const MAX_ATTEMPTS: u32 = 13;
    // More than the longest `mail.timeout`.
    const TIMEOUT: Duration = Duration::from_secs(6 * 60);
    type Needs = (Arc<dyn Mailer>, Arc<MailSeal>);
    type Output = ();

    async fn run(self, (mailer, seal): Self::Needs, _: JobRun) -> Result<(), JobError> {
        let mail = seal.open(&self.sealed).map_err(JobError::Permanent)?;
        match mailer.deliver(&mail).await {
            Ok(()) => Ok(()),
            Err(error) if error.may_try_again() => Err(error.into()),
            Err(error) => Err(JobError::permanent(error)),
        }
    }
}

/// Encrypts mails in the table of jobs: a mail may contain a link that works like a password.
pub(crate) struct MailSeal {
    key: [u8; 32],
}

/// The parts of a mail.
#[derive(Serialize, Deserialize)]
struct StoredMail {
    to: String,
    subject: String,
    text: String,
}

impl MailSeal {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    fn seal(&self, mail: &Mail) -> Result<String, Unexpected> {
        let stored = StoredMail {
            to: mail.to().to_owned(),
            subject: mail.subject().to_owned(),
            text: mail.text().to_owned(),
        };
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let mut sealed = serde_json::to_vec(&stored)?;
        self.cipher()?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )?;
        Ok(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn open(&self, sealed: &str) -> Result<Mail, Unexpected> {
        let broken = || {
            Unexpected::new(
                "the mail cannot be opened: `auth.signing_key` is not the one it was sealed with",
            )
        };
        let mut sealed = STANDARD_NO_PAD.decode(sealed)?;
        if sealed.len() <= NONCE_LEN {
            return Err(broken());
        }
        let mut rest = sealed.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(|_| broken())?;
        let opened = self
            .cipher()?
            .open_in_place(nonce, Aad::empty(), &mut rest)
            .map_err(|_| broken())?;
        let StoredMail { to, subject, text } = serde_json::from_slice(opened)?;
        Ok(Mail::new(to, subject, text)?)
    }

    fn cipher(&self) -> Result<LessSafeKey, Unexpected> {
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.key)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_mail_is_opened_with_its_key_only() {
        let mail = Mail::new("a@example.com", "s", "https://x/#token=secret").unwrap();
        let seal = MailSeal::new([1; 32]);
        let sealed = seal.seal(&mail).unwrap();
        assert_eq!(seal.open(&sealed).unwrap(), mail);
        assert_ne!(seal.seal(&mail).unwrap(), sealed);
        assert!(MailSeal::new([2; 32]).open(&sealed).is_err());
        assert!(seal.open("").is_err());
        assert!(!sealed.contains("secret"));
    }
}
