//! Proving once more who one is, before something that a thief of a token must not be able to do.

use std::sync::Arc;

use doyen_auth::Passwords;
use doyen_core::{Inject, Problem, Secret, SecurityEvent, SecurityLog, Unexpected, security};
use doyen_data::Session;
use doyen_web::Client;

use crate::login::WrongPassword;
use crate::sessions::{OwnSession, SessionEngine};
use crate::throttle::{Admit, LoginThrottled, Throttle};
use crate::{SessionRequired, UserRecord};

/// Why somebody did not prove who they are.
#[derive(Debug, Problem)]
pub(crate) enum Prove {
    /// The caller has no session.
    #[problem(transparent)]
    Required(SessionRequired),
    /// The password is another.
    #[problem(transparent)]
    Wrong(WrongPassword),
    /// Too many were wrong.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<Admit> for Prove {
    fn from(refused: Admit) -> Self {
        match refused {
            Admit::Throttled(throttled) => throttled.into(),
            Admit::Unexpected(error) => error.into(),
        }
    }
}

/// Asks for the password of somebody who is logged in.
#[derive(Clone, Inject)]
pub(crate) struct Proof {
    throttle: Throttle,
    engine: Arc<SessionEngine>,
    passwords: Arc<Passwords>,
    session: Session,
    log: Arc<dyn SecurityLog>,
}

impl Proof {
    /// The caller as they are now, if this is their password. Before the request's own unit of work begins: tries are counted in one of their
    /// own, and what is slow holds none.
    pub(crate) async fn password(
        &self,
        me: &OwnSession,
        password: Secret<String>,
        client: &Client,
    ) -> Result<UserRecord, Prove> {
        let attempt = self.throttle.admit_own(&me.subject, client.address).await?;
        let user = self
            .engine
            .user(&me.subject)
            .await?
            .ok_or(SessionRequired)?;
        let verdict = self
            .passwords
            .verify(password, user.password_hash.as_deref())
            .await;
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                // Nobody looked at it.
                attempt.forgive().await?;
                return Err(error.into());
            }
        };
        if !verdict.ok {
            attempt.failed().await?;
            let event = SecurityEvent::new(security::LOGIN_FAILED)
                .subject(&me.subject)
                .session(&me.id.to_string())
                .from(client.address, client.agent.as_deref());
            self.log.record(event.detail("why", "present password"));
            return Err(WrongPassword.into());
        }
        attempt.succeeded(&self.session, &me.subject).await?;
        Ok(user)
    }
}
