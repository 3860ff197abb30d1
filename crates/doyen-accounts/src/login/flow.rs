//! The steps of a login, in order. The order is the point: what is slow comes before what holds a transaction, and whatever is wrong is
//! found out after the same work and told in the same words.

use std::sync::Arc;

use doyen_auth::{NewPassword, Passwords};
use doyen_core::{Inject, Problem as _, Secret, SecurityEvent, SecurityLog, Unexpected, security};
use doyen_data::Session;
use doyen_web::Client;

use super::{InvalidCredentials, LogIn};
use crate::emails::{EmailNotVerified, EmailSettings};
use crate::factor::Factors;
use crate::sessions::{OpenSession, SessionKind, Sessions};
use crate::throttle::Throttle;
use crate::{UserRecord, Users};

/// Logs people in.
#[derive(Clone, Inject)]
pub(crate) struct Door {
    users: Arc<dyn Users>,
    passwords: Arc<Passwords>,
    sessions: Sessions,
    throttle: Throttle,
    factors: Factors,
    emails: Arc<EmailSettings>,
    work: Session,
    log: Arc<dyn SecurityLog>,
}

/// What somebody says of themselves.
pub(crate) struct Attempt<'a> {
    /// In lower case.
    pub(crate) email: &'a str,
    pub(crate) password: Secret<String>,
    /// Of a second factor.
    pub(crate) code: Option<&'a str>,
    pub(crate) client: &'a Client,
}

impl Door {
    /// Lets somebody in.
    pub(crate) async fn enter(
        &self,
        attempt: &Attempt<'_>,
        kind: SessionKind,
    ) -> Result<OpenSession, LogIn> {
        // 1 The throttle, before the expensive password check.
        let address = attempt.client.address;
        let counted = self.throttle.admit(attempt.email, address).await?;
        // 2 The password. An unknown address costs the same: a hash that no password has is compared.
        let user = self.users.by_email(attempt.email).await?;
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let verdict = match self
            .passwords
            .verify(attempt.password.clone(), stored)
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
                return self.refuse(attempt, user.as_ref(), "password");
            }
        };
        if user.disabled {
            counted.failed().await?;
            return self.refuse(attempt, Some(&user), "disabled");
        }
        // 3 Whatever else this account asks for: here, since who comes this far knows the password.
        if self.emails.must_verify() && !user.verified {
            counted.forgive().await?;
            return Err(EmailNotVerified.into());
        }
        // The password is there in the clear, this once: hashed at another cost than today's, it is hashed again. It is slow, so it is done
        // before the code, with which the unit of work begins.
        let rehashed = match verdict.rehash {
            true => match self.rehash(attempt).await {
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
            .check(counted, &user.subject, address, attempt.code)
            .await;
        let counted = match counted {
            Ok(counted) => counted,
            Err(refused) => {
                let event = self.event(security::LOGIN_FAILED, attempt, Some(&user));
                self.log.record(event.detail("why", refused.info().code));
                return Err(refused.into());
            }
        };
        // 4 All is right: what failed before is forgotten, and this network is known.
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
        // 5 A session, unless something about them changed meanwhile.
        let Some(open) = self.sessions.open(&user, kind, attempt.client).await? else {
            return self.refuse(attempt, Some(&user), "changed");
        };
        let event = self.event(security::LOGIN_SUCCEEDED, attempt, Some(&user));
        self.log
            .record_on_commit(event.session(&open.record.id.to_string()));
        Ok(open)
    }

    async fn rehash(&self, attempt: &Attempt<'_>) -> Result<Option<String>, Unexpected> {
        match attempt.password.expose().parse::<NewPassword>() {
            Ok(password) => self.passwords.hash(password).await.map(Some),
            // One that would not be taken today stays as it is.
            Err(_) => Ok(None),
        }
    }

    fn refuse<T>(
        &self,
        attempt: &Attempt<'_>,
        user: Option<&UserRecord>,
        why: &'static str,
    ) -> Result<T, LogIn> {
        let event = self.event(security::LOGIN_FAILED, attempt, user);
        self.log.record(event.detail("why", why));
        Err(InvalidCredentials.into())
    }

    fn event(
        &self,
        name: &'static str,
        attempt: &Attempt<'_>,
        user: Option<&UserRecord>,
    ) -> SecurityEvent {
        let client = attempt.client;
        let event = SecurityEvent::new(name).from(client.address, client.agent.as_deref());
        match user {
            Some(user) => event.subject(&user.subject),
            None => event,
        }
    }
}
