//! Sends the mails.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{BadMail, HOUR, Inject, Mail, MailOutbox, Secret, Unexpected};

use super::EmailSettings;
use super::templates::{AccountMailKind as Kind, MailTemplates, OwnTexts};
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
    outbox: Arc<dyn MailOutbox>,
    one_time: OneTimeTokens,
    settings: Arc<EmailSettings>,
    own_texts: Arc<OwnTexts>,
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
        match &token {
            Some(token) => {
                self.send(self.write(Kind::Verify, email, Some(token)))
                    .await?
            }
            None => self.outbox.send_nothing().await?,
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
            self.send(self.write(Kind::HasAccount, email, None)).await
        } else {
            self.outbox.send_nothing().await
        }
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
            self.send(self.write(Kind::Reset, &user.email, Some(token)))
                .await?;
        }
        Ok(token.is_some())
    }

    pub(super) async fn was_reset(&self, user: &UserRecord) -> Result<(), Unexpected> {
        self.send(self.write(Kind::WasReset, &user.email, None))
            .await
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
                self.send(self.write(Kind::Change, email, Some(&token)))
                    .await?;
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
        self.send(self.write(Kind::ChangeAsked, &user.email, None))
            .await?;
        Ok(true)
    }

    pub(super) async fn was_changed(&self, old: &str) -> Result<(), Unexpected> {
        self.send(self.write(Kind::WasChanged, old, None)).await
    }

    fn write(&self, kind: Kind, to: &str, token: Option<&Secret<String>>) -> Result<Mail, BadMail> {
        let templates = MailTemplates {
            settings: &self.settings,
            own: *self.own_texts,
        };
        templates.write(kind, to, token)
    }

    /// Sends the mail with the change. An invalid address is only logged.
    async fn send(&self, mail: Result<Mail, BadMail>) -> Result<(), Unexpected> {
        match mail {
            Ok(mail) => self.outbox.send(mail).await,
            Err(error) => {
                tracing::warn!(target: "mail", %error, "a mail cannot be written");
                Ok(())
            }
        }
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
