//! Tokens that are good once: the links in mails.
//!
//! A token is 256 random bits, written as 43 characters. The table keeps a hash of it together with its purpose, so it can not be used for
//! anything else, and whoever reads the table can not use it at all. There is one for each purpose and subject: a new one takes the place of
//! the old one, so the newest mail is the one that counts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::{Clock, Inject, Secret, Timestamp, Unexpected};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{self, FromQueryResult};
use doyen_data::{Row, Session};

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To show that an address is its owner's.
    VerifyEmail,
    /// To set a password without the present one.
    ResetPassword,
    /// To show that a new address is its owner's, and to take it.
    ChangeEmail,
    /// Nothing: it keeps the time of the last notice, so that nobody is flooded with them.
    Notice,
    /// Nothing: it is written where another would be, so that both cost the same.
    Nothing,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::Notice => "notice",
            Self::Nothing => "nothing",
        }
    }
}

/// What a token stands for.
#[derive(Clone, PartialEq, Eq, FromQueryResult, Row)]
pub struct Stands {
    /// Whose it is.
    pub subject: String,
    /// What was written to it when it was made: the address it went to.
    pub data: String,
}

#[derive(FromQueryResult, Row)]
struct Redeemed {
    subject: String,
    data: String,
    expires_at: DateTimeUtc,
}

/// Makes tokens that are good once, and takes them.
#[derive(Clone, Inject)]
pub struct OneTime {
    session: Session,
    clock: Arc<dyn Clock>,
}

impl OneTime {
    /// A new token, which takes the place of the one before. `None` when that one is younger than `pause`: somebody asks too often.
    ///
    /// # Errors
    ///
    /// The database's; the system has no random bytes.
    pub async fn issue(
        &self,
        purpose: Purpose,
        subject: &str,
        data: &str,
        lifetime: Duration,
        pause: Duration,
    ) -> Result<Option<Secret<String>>, Unexpected> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let token = URL_SAFE_NO_PAD.encode(random);
        let now = self.clock.now();
        // One statement: of two who ask at once, one gets it.
        let sql = "INSERT INTO auth_one_time (subject, purpose, hash, data, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (subject, purpose) DO UPDATE SET hash = excluded.hash, data = excluded.data, \
                   created_at = excluded.created_at, expires_at = excluded.expires_at, used_at = NULL \
                   WHERE auth_one_time.created_at <= $7";
        let written = self
            .session
            .execute_sql(
                sql,
                [
                    subject.into(),
                    purpose.name().into(),
                    hash(purpose, &token).into(),
                    data.into(),
                    DateTimeUtc::from(now).into(),
                    DateTimeUtc::from(now + lifetime).into(),
                    DateTimeUtc::from(now - pause).into(),
                ],
            )
            .await?;
        Ok((written == 1).then(|| Secret::new(token)))
    }

    /// What a token stands for, if it is good now; it stays good. Beside the unit of work: for what is slow and comes before
    /// [`redeem`](Self::redeem).
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn look(&self, purpose: Purpose, token: &str) -> Result<Option<Stands>, Unexpected> {
        if !has_form(token) {
            return Ok(None);
        }
        let sql = "SELECT subject, data FROM auth_one_time WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
        let now = DateTimeUtc::from(self.clock.now());
        let beside = self.session.autocommit();
        Ok(beside
            .query_one_as(sql, [hash(purpose, token).into(), now.into()])
            .await?)
    }

    /// Redeems a token. Returns `None` if it is unknown, used, expired or for another purpose.
    ///
    /// The token counts as used after the commit: a request that fails leaves it valid.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn redeem(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> Result<Option<Stands>, Unexpected> {
        if !has_form(token) {
            return Ok(None);
        }
        // Of several requests with the same token, one updates the row.
        let sql = "UPDATE auth_one_time SET used_at = $1 WHERE hash = $2 AND used_at IS NULL \
                   RETURNING subject, data, expires_at";
        let now = DateTimeUtc::from(self.clock.now());
        let parameters = [now.into(), hash(purpose, token).into()];
        let redeemed: Option<Redeemed> = self.session.query_one_as(sql, parameters).await?;
        // Read the clock again: the update may have waited for a lock until the token expired.
        let now = self.clock.now();
        Ok(redeemed
            .filter(|row| Timestamp::from(row.expires_at) > now)
            .map(|Redeemed { subject, data, .. }| Stands { subject, data }))
    }

    /// Ends every open token of somebody: their password or their address is another one now.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn end_all(&self, subject: &str) -> Result<(), Unexpected> {
        let sql = "DELETE FROM auth_one_time WHERE subject = $1 AND purpose <> $2";
        let parameters = [subject.into(), Purpose::Notice.name().into()];
        self.session.execute_sql(sql, parameters).await?;
        Ok(())
    }
}

impl fmt::Debug for OneTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTime").finish_non_exhaustive()
    }
}

impl fmt::Debug for Stands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stands")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What is kept of a token. The purpose goes in, so a token for another purpose is simply not found.
fn hash(purpose: Purpose, token: &str) -> Vec<u8> {
    let text = format!("doyen/one-time/v1\0{}\0{token}", purpose.name());
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .to_vec()
}

/// 32 bytes as base64url. Anything else is not looked up.
fn has_form(token: &str) -> bool {
    token.len() == 43
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
