//! Confirms the password of a logged-in user, before an action that a stolen token must not permit.

use std::sync::Arc;

use doyen_auth::Passwords;
use doyen_core::{Inject, Problem, Secret, SecurityEvent, SecurityLog, Unexpected, security};
use doyen_data::Session;
use doyen_web::Client;

use crate::factor::{CheckFactor, Factors};
use crate::login::WrongPassword;
use crate::sessions::{CurrentSession, SessionEngine};
use crate::throttle::{Admit, Attempt, LoginThrottled, Throttle};
use crate::{SessionRequired, UserRecord};

/// Errors when the password is checked.
#[derive(Debug, Problem)]
pub(crate) enum Prove {
    /// The caller has no session.
    #[problem(transparent)]
    Required(SessionRequired),
    /// The password is wrong.
    #[problem(transparent)]
    Wrong(WrongPassword),
    /// Too many failed attempts.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// An unexpected error.
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

/// Confirms the password of a logged-in user.
#[derive(Clone, Inject)]
pub(crate) struct Proof {
    throttle: Throttle,
    engine: Arc<SessionEngine>,
    passwords: Arc<Passwords>,
    session: Session,
    log: Arc<dyn SecurityLog>,
    factors: Factors,
}

/// A correct password. If it is dropped without an outcome, the attempt becomes a failure.
pub(crate) struct Confirmed {
    pub(crate) user: UserRecord,
    attempt: Attempt,
    session: Session,
}

impl Proof {
    /// Checks the password of the caller. Call it before the transaction of the request begins: the
    /// throttle needs its own, and the slow password check must not hold one.
    pub(crate) async fn password(
        &self,
        me: &CurrentSession,
        password: Secret<String>,
        client: &Client,
    ) -> Result<Confirmed, Prove> {
        let user = self
            .engine
            .user(&me.subject)
            .await?
            .ok_or(SessionRequired)?;
        let attempt = self.throttle.admit_own(&me.subject, client.address).await?;
        let verdict = self
            .passwords
            .verify(password, user.password_hash.as_deref())
            .await;
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                // The password was not checked.
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
        Ok(Confirmed {
            user,
            attempt,
            session: self.session.clone(),
        })
    }

    /// Checks the second factor as well, if the user has one: for a change after which the password
    /// alone could suffice.
    pub(crate) async fn factor(
        &self,
        confirmed: Confirmed,
        code: Option<&str>,
        client: &Client,
    ) -> Result<Confirmed, CheckFactor> {
        let Confirmed {
            user,
            attempt,
            session,
        } = confirmed;
        let attempt = self
            .factors
            .check(attempt, &user.subject, client.address, code)
            .await?;
        Ok(Confirmed {
            user,
            attempt,
            session,
        })
    }
}

impl Confirmed {
    /// Reports a success, in the transaction of the request.
    pub(crate) async fn succeeded(self) -> Result<(), Unexpected> {
        self.attempt
            .succeeded(&self.session, &self.user.subject)
            .await
    }

    /// Rolls the request back and reports a failure, for a wrong second factor.
    pub(crate) async fn failed(self) -> Result<(), Unexpected> {
        self.session.rollback().await;
        self.attempt.failed().await
    }

    /// Rolls the request back without counting a failure, for a request that is refused although
    /// the password is correct.
    pub(crate) async fn forgive(self) -> Result<(), Unexpected> {
        self.session.rollback().await;
        self.attempt.forgive().await
    }
}
