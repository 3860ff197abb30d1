//! Mails that are thrown away.

use doyen_core::{Mail, Mailer, NotDelivered, port};

/// Delivers nothing, and says so in the log: for a service that sends no mail.
#[derive(Clone, Copy, Debug)]
pub struct NullMailer;

#[port]
impl Mailer for NullMailer {
    async fn deliver(&self, mail: &Mail) -> Result<(), NotDelivered> {
        tracing::warn!(target: "mail", subject = mail.subject(), "not sent: `mail.transport` is `none`");
        Ok(())
    }
}
