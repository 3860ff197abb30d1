//! The steps of a login. The order matters: slow steps come before the transaction, and every
//! failure costs the same work and has the same response.

use std::sync::Arc;

use doyen_auth::{PasswordRules, Passwords};
use doyen_core::{Inject, Problem as _, Secret, SecurityEvent, SecurityLog, Unexpected, security};
use doyen_data::Session;
use doyen_web::Client;

use super::{InvalidCredentials, LogIn};
use crate::cookies::PresentedCookie;
use crate::emails::{EmailNotVerified, EmailSettings};
use crate::factor::Factors;
use crate::sessions::{OpenSession, SessionKind, Sessions};
use crate::throttle::Throttle;
use crate::{UserRecord, Users};

/// Logs users in.
#[derive(Clone, Inject)]
pub(crate) struct LoginFlow {
    users: Arc<dyn Users>,
    passwords: Arc<Passwords>,
    rules: Arc<PasswordRules>,
    sessions: Sessions,
    throttle: Throttle,
    factors: Factors,
    emails: Arc<EmailSettings>,
    work: Session,
    log: Arc<dyn SecurityLog>,
}

/// The credentials of a login request.
pub(crate) struct PresentedCredentials<'a> {
    /// Email address in lower case.
    pub(crate) email: &'a str,
    pub(crate) password: Secret<String>,
    /// Code of the second factor.
    pub(crate) code: Option<&'a str>,
    /// Cookie of a session that this login replaces.
    pub(crate) cookie: &'a PresentedCookie,
    pub(crate) client: &'a Client,
}

impl LoginFlow {
    /// Verifies the credentials and opens a session.
    pub(crate) async fn log_in(
        &self,
        credentials: &PresentedCredentials<'_>,
        kind: SessionKind,
    ) -> Result<OpenSession, LogIn> {
        // The throttle, before the expensive password check.
        let address = credentials.client.address;
        let counted = self.throttle.admit(credentials.email, address).await?;
        // An unknown address costs the same: a hash that matches no password is compared.
        let user = self.users.by_email(credentials.email).await?;
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let verdict = match self
            .passwords
            .verify(credentials.password.clone(), stored)
            .await
        {
            Ok(verdict) => verdict,
            Err(error) => {
                // The password was not checked.
                counted.forgive().await?;
                return Err(error.into());
            }
        };
        let user = match user {
            Some(user) if verdict.ok => user,
            user => {
                counted.failed().await?;
                return self.refuse(credentials, user.as_ref(), "password");
            }
        };
        if user.disabled {
            counted.failed().await?;
            return self.refuse(credentials, Some(&user), "disabled");
        }
        // Further requirements, which only a client that knows the password may learn.
        if self.emails.must_verify() && !user.verified {
            counted.forgive().await?;
            return Err(EmailNotVerified.into());
        }
        // Rehashes the password if the cost parameters have changed. This is slow, so it comes
        // before the code, which begins the transaction.
        let rehashed = match verdict.rehash {
            true => match self.rehash(credentials).await {
                Ok(rehashed) => rehashed,
                Err(error) => {
                    // The password was correct.
                    counted.forgive().await?;
                    return Err(error.into());
                }
            },
            false => None,
        };
        let counted = self
            .factors
            .check(counted, &user.subject, address, credentials.code)
            .await;
        let counted = match counted {
            Ok(counted) => counted,
            Err(refused) => {
                let event = self.event(security::LOGIN_FAILED, credentials, Some(&user));
                self.log.record(event.detail("why", refused.info().code));
                return Err(refused.into());
            }
        };
        // Success: reset the failure counters and remember this network.
        counted.succeeded(&self.work, &user.subject).await?;
        let user = match rehashed {
            Some(hash) => {
                self.users.set_password(&user.subject, &hash).await?;
                UserRecord {
                    password_hash: Some(hash),
                    ..user
                }
            }
            None => user,
        };
        // Opens a session, unless the user has changed since.
        let Some(open) = self.sessions.open(&user, kind, credentials.client).await? else {
            return self.refuse(credentials, Some(&user), "changed");
        };
        credentials
            .cookie
            .end_replaced(&open, &self.sessions, &*self.log, credentials.client)
            .await?;
        let event = self.event(security::LOGIN_SUCCEEDED, credentials, Some(&user));
        self.log
            .record_on_commit(event.session(&open.record.id.to_string()));
        Ok(open)
    }

    async fn rehash(
        &self,
        credentials: &PresentedCredentials<'_>,
    ) -> Result<Option<String>, Unexpected> {
        match self.rules.check(credentials.password.expose()) {
            Ok(password) => self.passwords.hash(password).await.map(Some),
            // A password that is too weak today stays as it is.
            Err(_) => Ok(None),
        }
    }

    fn refuse<T>(
        &self,
        credentials: &PresentedCredentials<'_>,
        user: Option<&UserRecord>,
        why: &'static str,
    ) -> Result<T, LogIn> {
        let event = self.event(security::LOGIN_FAILED, credentials, user);
        self.log.record(event.detail("why", why));
        Err(InvalidCredentials.into())
    }

    fn event(
        &self,
        name: &'static str,
        credentials: &PresentedCredentials<'_>,
        user: Option<&UserRecord>,
    ) -> SecurityEvent {
        let client = credentials.client;
        let event = SecurityEvent::new(name).from(client.address, client.agent.as_deref());
        match user {
            Some(user) => event.subject(&user.subject),
            None => event,
        }
    }
}
