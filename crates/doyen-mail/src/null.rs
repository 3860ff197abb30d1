//! Mails that are dropped.

use doyen_core::{Mail, Mailer, NotDelivered, port};

/// Drops each mail with a line in the log: for a service that sends no mail.
#[derive(Clone, Copy, Debug)]
pub struct NullMailer;

#[port]
impl Mailer for NullMailer {
    async fn deliver(&self, mail: &Mail) -> Result<(), NotDelivered> {
        tracing::warn!(target: "mail", subject = mail.subject(), "not sent: `mail.transport` is `none`");
        Ok(())
    }
}
