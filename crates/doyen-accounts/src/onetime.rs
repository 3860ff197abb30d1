//! Single-use tokens, for links in mails.
//!
//! A token is 256 random bits, written as 43 characters. The table stores a hash of token and
//! purpose: the token is not valid for another purpose, and the table reveals no tokens. There is
//! one for each purpose and subject; a new one replaces the old one.

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

/// The purpose of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Verify an address.
    VerifyEmail,
    /// Reset a password.
    ResetPassword,
    /// Verify and set a new address.
    ChangeEmail,
    /// Not redeemable: stores the time of the last notice, to limit notices.
    Notice,
    /// Not redeemable: written in place of another, so that both cost the same.
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

/// The data of a token.
#[derive(Clone, PartialEq, Eq, FromQueryResult, Row)]
pub struct TokenPayload {
    /// Subject of the token.
    pub subject: String,
    /// Data from its creation: the address that it was sent to.
    pub data: String,
}

#[derive(FromQueryResult, Row)]
struct RedeemedRow {
    subject: String,
    data: String,
    expires_at: DateTimeUtc,
}

/// Issues and redeems single-use tokens.
#[derive(Clone, Inject)]
pub struct OneTimeTokens {
    session: Session,
    clock: Arc<dyn Clock>,
}

impl OneTimeTokens {
    /// Issues a token, which replaces the one before. Returns `None` if that one is younger than
    /// `pause`.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails or the system provides no random bytes.
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
        // One statement: of two concurrent requests, one gets a token.
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

    /// Returns the data of a valid token without redeeming it, outside of the transaction. For slow
    /// work before [`redeem`](Self::redeem).
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn peek(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> Result<Option<TokenPayload>, Unexpected> {
        if !has_form(token) {
            return Ok(None);
        }
        let sql = "SELECT subject, data FROM auth_one_time WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
        let now = DateTimeUtc::from(self.clock.now());
        let reads = self.session.autocommit();
        Ok(reads
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
    ) -> Result<Option<TokenPayload>, Unexpected> {
        if !has_form(token) {
            return Ok(None);
        }
        // Of several requests with the same token, one updates the row.
        let sql = "UPDATE auth_one_time SET used_at = $1 WHERE hash = $2 AND used_at IS NULL \
                   RETURNING subject, data, expires_at";
        let now = DateTimeUtc::from(self.clock.now());
        let parameters = [now.into(), hash(purpose, token).into()];
        let redeemed: Option<RedeemedRow> = self.session.query_one_as(sql, parameters).await?;
        // Read the clock again: the update may have waited for a lock until the token expired.
        let now = self.clock.now();
        Ok(redeemed
            .filter(|row| Timestamp::from(row.expires_at) > now)
            .map(|RedeemedRow { subject, data, .. }| TokenPayload { subject, data }))
    }

    /// Deletes every open token of a subject whose password or address has changed.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn end_all(&self, subject: &str) -> Result<(), Unexpected> {
        let sql = "DELETE FROM auth_one_time WHERE subject = $1 AND purpose <> $2";
        let parameters = [subject.into(), Purpose::Notice.name().into()];
        self.session.execute_sql(sql, parameters).await?;
        Ok(())
    }
}

impl fmt::Debug for OneTimeTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeTokens").finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenPayload")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Returns the hash of a token. It includes the purpose, so a token for another purpose is not
/// found.
fn hash(purpose: Purpose, token: &str) -> Vec<u8> {
    let text = format!("doyen/one-time/v1\0{}\0{token}", purpose.name());
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .to_vec()
}

/// Returns true if the text is 32 bytes in base64url. Anything else is not looked up.
fn has_form(token: &str) -> bool {
    token.len() == 43
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
