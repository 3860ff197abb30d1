//! Second factors: codes from an authenticator app (TOTP, RFC 6238), and recovery codes for a lost
//! device.
//!
//! | part | is |
//! | --- | --- |
//! | `totp` | the codes: SHA-1, six digits, thirty seconds, as in all apps |
//! | `recovery` | ten single-use codes |
//! | `seal` | encrypts the secret with a key that is not in the database |
//! | `api` | enable and disable it |
//!
//! A code of the previous and the next thirty seconds is also valid, for clocks that differ. Each
//! code can be used once, and no code before it. Wrong codes are counted: see
//! [`throttle`](crate::throttle).
//!
//! It does not protect against a copy of the login page that relays codes at once. Passkeys do.

mod api;
mod recovery;
mod seal;
mod settings;
mod totp;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{
    Clock, Inject, Problem, SecurityEvent, SecurityLog, Timestamp, Unexpected, security,
};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{self, FromQueryResult};
use doyen_data::{Row, Session};

use crate::account_keys::AccountKeys;
use crate::throttle::{Admit, Attempt, LoginThrottled};

pub(crate) use api::routes;
pub use settings::FactorSettings;

/// The password is correct, but the account requires a second factor. Send the code from the
/// authenticator app, or a recovery code, as `code`.
#[derive(Debug, Problem)]
#[problem(unauthenticated)]
pub struct SecondFactorRequired;

/// The code is wrong or was already used. Wait for the next code and try again.
#[derive(Debug, Problem)]
#[problem(unauthenticated)]
pub struct WrongCode;

/// Errors when a second factor is checked.
#[derive(Debug, Problem)]
pub enum CheckFactor {
    /// The account has a second factor, but the request has no code.
    #[problem(transparent)]
    Required(SecondFactorRequired),
    /// The code is wrong.
    #[problem(transparent)]
    Wrong(WrongCode),
    /// Too many failed attempts.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<Admit> for CheckFactor {
    fn from(refused: Admit) -> Self {
        match refused {
            Admit::Throttled(throttled) => throttled.into(),
            Admit::Unexpected(error) => error.into(),
        }
    }
}

/// Second factors, within the unit of work of a request.
#[derive(Clone, Inject)]
pub struct Factors {
    session: Session,
    clock: Arc<dyn Clock>,
    keys: Arc<AccountKeys>,
    log: Arc<dyn SecurityLog>,
}

#[derive(FromQueryResult, Row)]
struct StoredFactor {
    secret: Vec<u8>,
    confirmed_at: Option<DateTimeUtc>,
    last_step: i64,
}

/// A stored secret, and whether it is confirmed.
struct Factor {
    secret: totp::Secret,
    confirmed: bool,
    last_step: i64,
}

impl Factors {
    /// Checks the second factor of a user whose password was correct. Succeeds if the user has
    /// none.
    ///
    /// `attempt` is the counted attempt of the password. It is forgiven if the code is missing, and
    /// stays a failure if it is wrong.
    ///
    /// # Errors
    ///
    /// Returns an error if the code is missing or wrong, after too many attempts, or if the
    /// database fails.
    pub async fn check(
        &self,
        attempt: Attempt,
        subject: &str,
        address: Option<IpAddr>,
        code: Option<&str>,
    ) -> Result<Attempt, CheckFactor> {
        // Outside of the transaction, which must not have begun: attempts are counted in their own.
        let found = self.find(&self.session.autocommit(), subject).await?;
        let Some(factor) = found.filter(|factor| factor.confirmed) else {
            return Ok(attempt);
        };
        let Some(code) = code else {
            attempt.forgive().await?;
            return Err(SecondFactorRequired.into());
        };
        let second = attempt.second(subject, address).await?;
        if !self.take(subject, &factor, code).await? {
            // The unit of work has begun, and on SQLite it holds the one writer that the counts
            // need.
            self.session.rollback().await;
            second.failed().await?;
            attempt.failed().await?;
            return Err(WrongCode.into());
        }
        second.succeeded(&self.session, subject).await?;
        Ok(attempt)
    }

    /// Uses up a code of the app, or a recovery code.
    async fn take(&self, subject: &str, factor: &Factor, code: &str) -> Result<bool, Unexpected> {
        let now = self.clock.now();
        if let Some(code) = totp::code(code) {
            let Some(step) = totp::matches(&factor.secret, &code, now, factor.last_step) else {
                return Ok(false);
            };
            // Of two requests with the same code, one updates the row.
            let sql =
                "UPDATE auth_factors SET last_step = $1 WHERE subject = $2 AND last_step < $3";
            let parameters = [step.into(), subject.into(), step.into()];
            return Ok(self.session.execute_sql(sql, parameters).await? == 1);
        }
        let Some(hash) = recovery::hash(&self.keys.recovery, subject, code) else {
            return Ok(false);
        };
        let sql = "UPDATE auth_recovery_codes SET used_at = $1 WHERE subject = $2 AND hash = $3 AND used_at IS NULL";
        let parameters = [DateTimeUtc::from(now).into(), subject.into(), hash.into()];
        let taken = self.session.execute_sql(sql, parameters).await? == 1;
        if taken {
            self.log.record_on_commit(
                SecurityEvent::new(security::RECOVERY_CODE_USED).subject(subject),
            );
        }
        Ok(taken)
    }

    async fn find(&self, session: &Session, subject: &str) -> Result<Option<Factor>, Unexpected> {
        let sql = "SELECT secret, confirmed_at, last_step FROM auth_factors WHERE subject = $1";
        let kept: Option<StoredFactor> = session.query_one_as(sql, [subject.into()]).await?;
        kept.map(|kept| {
            Ok(Factor {
                secret: seal::open(&self.keys.factor, subject, kept.secret)?,
                confirmed: kept.confirmed_at.is_some(),
                last_step: kept.last_step,
            })
        })
        .transpose()
    }

    /// Stores a new secret, to be confirmed by a first code. Returns false if one is confirmed
    /// already.
    async fn begin(&self, subject: &str, secret: &totp::Secret) -> Result<bool, Unexpected> {
        let sealed = seal::seal(&self.keys.factor, subject, secret)?;
        let sql = "INSERT INTO auth_factors (subject, secret, created_at, last_step) VALUES ($1, $2, $3, 0) \
                   ON CONFLICT (subject) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0 \
                   WHERE auth_factors.confirmed_at IS NULL";
        let now = DateTimeUtc::from(self.clock.now());
        let parameters = [subject.into(), sealed.into(), now.into()];
        Ok(self.session.execute_sql(sql, parameters).await? == 1)
    }

    /// Confirms the secret and returns the recovery codes. Returns `None` if it was confirmed
    /// before.
    async fn confirm(
        &self,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<String>>, Unexpected> {
        let sql =
            "UPDATE auth_factors SET confirmed_at = $1 WHERE subject = $2 AND confirmed_at IS NULL";
        let parameters = [DateTimeUtc::from(now).into(), subject.into()];
        if self.session.execute_sql(sql, parameters).await? != 1 {
            return Ok(None);
        }
        let codes = recovery::codes()?;
        for code in &codes {
            let hash = recovery::hash(&self.keys.recovery, subject, code)
                .ok_or_else(|| Unexpected::new("a recovery code has no form"))?;
            let sql = "INSERT INTO auth_recovery_codes (subject, hash) VALUES ($1, $2)";
            let parameters = [subject.into(), hash.into()];
            self.session.execute_sql(sql, parameters).await?;
        }
        Ok(Some(codes))
    }

    /// Removes the second factor and the recovery codes of a user, for an administrator who has
    /// verified the identity of a user without device and codes.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn remove(&self, subject: &str) -> Result<(), Unexpected> {
        for sql in [
            "DELETE FROM auth_recovery_codes WHERE subject = $1",
            "DELETE FROM auth_factors WHERE subject = $1",
        ] {
            self.session.execute_sql(sql, [subject.into()]).await?;
        }
        let event = SecurityEvent::new(security::FACTOR_DISABLED).subject(subject);
        self.log.record_on_commit(event);
        Ok(())
    }
}

impl fmt::Debug for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factors").finish_non_exhaustive()
    }
}
