//! Changes the password of a user who knows the current one.

use std::sync::Arc;

use doyen_auth::{PasswordRules, Passwords};
use doyen_core::{Inject, Secret, SecurityEvent, SecurityLog, security};
use doyen_data::Session;
use doyen_web::Client;

use super::WrongPassword;
use super::problems::ChangePassword;
use crate::emails::{EmailSettings, weak};
use crate::onetime::OneTimeTokens;
use crate::sessions::{CurrentSession, OpenSession, SessionEngine, Sessions};
use crate::throttle::Throttle;
use crate::{SessionRequired, Users};

/// Changes passwords.
#[derive(Clone, Inject)]
pub(crate) struct PasswordChange {
    users: Arc<dyn Users>,
    passwords: Arc<Passwords>,
    rules: Arc<PasswordRules>,
    sessions: Sessions,
    engine: Arc<SessionEngine>,
    throttle: Throttle,
    one_time: OneTimeTokens,
    emails: Arc<EmailSettings>,
    work: Session,
    log: Arc<dyn SecurityLog>,
}

impl PasswordChange {
    /// Sets the password, ends every session of the user and opens a new one for this client, so
    /// that any other holder of the old password is logged out.
    pub(crate) async fn change(
        &self,
        me: &CurrentSession,
        present: Secret<String>,
        new: Secret<String>,
        client: &Client,
    ) -> Result<OpenSession, ChangePassword> {
        // Outside the transaction of the request: the slow password check must not hold one.
        let known = self
            .engine
            .user(&me.subject)
            .await?
            .ok_or(SessionRequired)?;
        // Before the attempt is counted: a weak new password is not a failed login.
        let service = self.emails.service_name.as_deref().unwrap_or_default();
        let new = self
            .rules
            .check(new.expose())
            .and_then(|new| self.rules.check_personal(new, &[&known.email, service]));
        let new = new.map_err(|why| weak("new_password", &self.rules, why))?;
        let attempt = self.throttle.admit_own(&me.subject, client.address).await?;
        let stored = known.password_hash.as_deref();
        let verdict = match self.passwords.verify(present, stored).await {
            Ok(verdict) => verdict,
            Err(error) => {
                // The password was not checked.
                attempt.forgive().await?;
                return Err(error.into());
            }
        };
        let event = |name| {
            SecurityEvent::new(name)
                .subject(&me.subject)
                .session(&me.id.to_string())
                .from(client.address, client.agent.as_deref())
        };
        if !verdict.ok {
            attempt.failed().await?;
            let event = event(security::LOGIN_FAILED);
            self.log.record(event.detail("why", "present password"));
            return Err(WrongPassword.into());
        }
        let hash = match self.passwords.hash(new).await {
            Ok(hash) => hash,
            Err(error) => {
                attempt.forgive().await?;
                return Err(error.into());
            }
        };
        // From here on no other request opens or ends a session of the user. What was read above
        // must still hold.
        self.sessions.lock_subject(&me.subject).await?;
        let same = self.users.by_subject(&me.subject).await?;
        let mut proved = same
            .filter(|user| user.password_hash == known.password_hash)
            .ok_or(WrongPassword)?;
        let session = self.sessions.find(me.id).await?.ok_or(SessionRequired)?;
        self.users.set_password(&me.subject, &hash).await?;
        self.sessions.end_all(&me.subject).await?;
        self.one_time.end_all(&me.subject).await?;
        proved.password_hash = Some(hash);
        let open = self
            .sessions
            .open(&proved, session.kind, client)
            .await?
            .ok_or(SessionRequired)?;
        // Last, as in all transactions that lock this row: another order could deadlock.
        attempt.succeeded(&self.work, &me.subject).await?;
        self.log.record_on_commit(event(security::PASSWORD_CHANGED));
        Ok(open)
    }
}
