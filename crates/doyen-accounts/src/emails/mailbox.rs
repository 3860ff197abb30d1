//! Sends the mails.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{BadMail, HOUR, Inject, Mail, MailOutbox, MailQueue, Unexpected};
use doyen_data::Session;

use super::EmailSettings;
use super::templates::MailTemplates;
use crate::UserRecord;
use crate::onetime::{OneTimeTokens, Purpose};

/// Minimum time between two notices about registration attempts.
const NOTICE_INTERVAL: Duration = HOUR;

/// Sends mails about accounts: each in the background, if and only if the change is committed.
///
/// An application calls [`ask_to_verify`](Self::ask_to_verify) for a new user, and
/// [`has_account`](Self::has_account) if the address already has an account.
#[derive(Clone, Inject)]
pub struct Mailbox {
    session: Session,
    outbox: Arc<dyn MailOutbox>,
    queue: Arc<dyn MailQueue>,
    one_time: OneTimeTokens,
    settings: Arc<EmailSettings>,
}

impl Mailbox {
    /// Sends a new user the link that verifies the address. Returns false if a mail was sent a
    /// moment ago.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn ask_to_verify(&self, subject: &str, email: &str) -> Result<bool, Unexpected> {
        let settings = &self.settings;
        let token = self
            .one_time
            .issue(
                Purpose::VerifyEmail,
                subject,
                email,
                settings.verify_lifetime,
                settings.pause,
            )
            .await?;
        if let Some(token) = &token {
            self.send(self.letters().verify(email, token)).await?;
        }
        Ok(token.is_some())
    }

    /// Notifies a user that their address was used to register again. It writes as much as
    /// [`ask_to_verify`](Self::ask_to_verify).
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn has_account(&self, subject: &str, email: &str) -> Result<(), Unexpected> {
        let due = self
            .one_time
            .issue(
                Purpose::Notice,
                subject,
                email,
                NOTICE_INTERVAL,
                NOTICE_INTERVAL,
            )
            .await?;
        if due.is_some() {
            self.send(self.letters().has_account(email)).await?;
        }
        Ok(())
    }

    /// Sends a link that resets the password.
    pub(super) async fn reset(&self, user: &UserRecord) -> Result<bool, Unexpected> {
        let settings = &self.settings;
        let token = self
            .one_time
            .issue(
                Purpose::ResetPassword,
                &user.subject,
                &user.email,
                settings.reset_lifetime,
                settings.pause,
            )
            .await?;
        if let Some(token) = &token {
            self.send(self.letters().reset(&user.email, token)).await?;
        }
        Ok(token.is_some())
    }

    pub(super) async fn was_reset(&self, user: &UserRecord) -> Result<(), Unexpected> {
        self.send(self.letters().was_reset(&user.email)).await
    }

    /// Sends a link to the new address of `user`, or a notice to its present `owner`. Returns false
    /// if the user asked a moment ago. Both cases write the same.
    pub(super) async fn change(
        &self,
        user: &UserRecord,
        email: &str,
        owner: Option<&UserRecord>,
    ) -> Result<bool, Unexpected> {
        let settings = &self.settings;
        let token = self
            .one_time
            .issue(
                Purpose::ChangeEmail,
                &user.subject,
                email,
                settings.change_lifetime,
                settings.pause,
            )
            .await?;
        let Some(token) = token else {
            return Ok(false);
        };
        match owner {
            // This token is not sent.
            Some(owner) => self.has_account(&owner.subject, &owner.email).await?,
            None => {
                self.send(self.letters().change(email, &token)).await?;
                self.one_time
                    .issue(
                        Purpose::Nothing,
                        &user.subject,
                        email,
                        NOTICE_INTERVAL,
                        NOTICE_INTERVAL,
                    )
                    .await?;
            }
        }
        self.send(self.letters().change_asked(&user.email)).await?;
        Ok(true)
    }

    pub(super) async fn was_changed(&self, old: &str) -> Result<(), Unexpected> {
        self.send(self.letters().was_changed(old)).await
    }

    fn letters(&self) -> MailTemplates<'_> {
        MailTemplates(&self.settings)
    }

    /// Stores the mail with the change, or sends it after the commit. An invalid address is only
    /// logged.
    async fn send(&self, mail: Result<Mail, BadMail>) -> Result<(), Unexpected> {
        let mail = match mail {
            Ok(mail) => mail,
            Err(error) => {
                tracing::warn!(target: "mail", %error, "a mail cannot be written");
                return Ok(());
            }
        };
        if let Some(mail) = self.outbox.store(mail).await? {
            let queue = Arc::clone(&self.queue);
            self.session.after_commit(async move { queue.send(mail) });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
