//! Who gets which mail.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{BadMail, HOUR, Inject, Mail, MailQueue, Unexpected};
use doyen_data::Session;

use super::EmailSettings;
use super::letters::Letters;
use crate::UserRecord;
use crate::onetime::{OneTime, Purpose};

/// How long until somebody is told again that somebody else knocked with their address.
const NOTICE: Duration = HOUR;

/// Sends mails about accounts: each after the commit, in the background.
///
/// An application that registers users calls [`ask_to_verify`](Self::ask_to_verify) for a new one and [`has_account`](Self::has_account) when the
/// address has an account.
#[derive(Clone, Inject)]
pub struct Mailbox {
    session: Session,
    queue: Arc<dyn MailQueue>,
    one_time: OneTime,
    settings: Arc<EmailSettings>,
}

impl Mailbox {
    /// Asks a new user whether the address is theirs. False when they were asked a moment ago: then nothing is sent.
    ///
    /// # Errors
    ///
    /// The database's.
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
            self.send(self.letters().verify(email, token));
        }
        Ok(token.is_some())
    }

    /// Tells somebody that their address was used to register once more. It writes as much as [`ask_to_verify`](Self::ask_to_verify) does.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn has_account(&self, subject: &str, email: &str) -> Result<(), Unexpected> {
        let due = self
            .one_time
            .issue(Purpose::Notice, subject, email, NOTICE, NOTICE)
            .await?;
        if due.is_some() {
            self.send(self.letters().has_account(email));
        }
        Ok(())
    }

    /// A link for a new password.
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
            self.send(self.letters().reset(&user.email, token));
        }
        Ok(token.is_some())
    }

    pub(super) fn was_reset(&self, user: &UserRecord) {
        self.send(self.letters().was_reset(&user.email));
    }

    /// A link for another address, sent to `user`'s new one, or a notice to the `owner` who has it already. False when the user asked a
    /// moment ago. The same is written either way.
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
            // Nobody is sent this token.
            Some(owner) => self.has_account(&owner.subject, &owner.email).await?,
            None => {
                self.send(self.letters().change(email, &token));
                self.one_time
                    .issue(Purpose::Nothing, &user.subject, email, NOTICE, NOTICE)
                    .await?;
            }
        }
        self.send(self.letters().change_asked(&user.email));
        Ok(true)
    }

    pub(super) fn was_changed(&self, old: &str) {
        self.send(self.letters().was_changed(old));
    }

    fn letters(&self) -> Letters<'_> {
        Letters(&self.settings)
    }

    /// After the commit. An address that can not be written to is one that has no mail: the log says so and nobody else.
    fn send(&self, mail: Result<Mail, BadMail>) {
        match mail {
            Ok(mail) => {
                let queue = Arc::clone(&self.queue);
                self.session.after_commit(async move { queue.send(mail) });
            }
            Err(error) => tracing::warn!(target: "mail", %error, "a mail can not be written"),
        }
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
