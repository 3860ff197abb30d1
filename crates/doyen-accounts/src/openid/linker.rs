//! Finds the account of an external identity: a linked one, or one with the same verified address.

use std::sync::Arc;

use doyen_core::{Clock, Inject, SecurityEvent, SecurityLog, Unexpected, security};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{self, FromQueryResult};
use doyen_data::{Row, Session};
use doyen_web::Client;

use super::LinkMode;
use super::id_token::IdTokenClaims;
use super::problems::{OpenIdLogin, Why};
use crate::cookies::PresentedCookie;
use crate::login::LoggedIn;
use crate::sessions::{SessionKind, Sessions};
use crate::{UserRecord, Users};

/// Finds or links the account, and opens a session.
#[derive(Clone, Inject)]
pub(super) struct AccountLinker {
    session: Session,
    users: Arc<dyn Users>,
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    log: Arc<dyn SecurityLog>,
}

#[derive(FromQueryResult, Row)]
struct Linked {
    owner: String,
}

impl AccountLinker {
    /// Logs in the account of these claims.
    pub(super) async fn log_in(
        &self,
        issuer: &str,
        claims: &IdTokenClaims,
        link: LinkMode,
        kind: SessionKind,
        cookie: &PresentedCookie,
        client: &Client,
    ) -> Result<LoggedIn, OpenIdLogin> {
        let user = match self.linked(issuer, claims).await? {
            Some(user) => user,
            None => self.link(issuer, claims, link).await?,
        };
        let open = self.sessions.open(&user, kind, client).await?;
        let open = open.ok_or(OpenIdLogin::Unknown(Why("the user changed meanwhile")))?;
        cookie
            .end_replaced(&open, &self.sessions, &*self.log, client)
            .await?;
        let event = SecurityEvent::new(security::LOGIN_SUCCEEDED)
            .subject(&user.subject)
            .session(&open.record.id.to_string())
            .from(client.address, client.agent.as_deref())
            .detail("via", issuer);
        self.log.record_on_commit(event);
        Ok(LoggedIn::new(&self.sessions, &open)?)
    }

    async fn linked(
        &self,
        issuer: &str,
        claims: &IdTokenClaims,
    ) -> Result<Option<UserRecord>, OpenIdLogin> {
        let sql = "SELECT owner FROM auth_identities WHERE issuer = $1 AND subject = $2";
        let found: Option<Linked> = self
            .session
            .query_one_as(sql, [issuer.into(), claims.subject.as_str().into()])
            .await
            .map_err(Unexpected::from)?;
        let Some(found) = found else { return Ok(None) };
        let user = self.users.by_subject(&found.owner).await?;
        match user.filter(|user| !user.disabled) {
            Some(user) => Ok(Some(user)),
            None => Err(OpenIdLogin::Unknown(Why("the user is gone or disabled"))),
        }
    }

    /// Links an account at the first login. The address must be verified on both sides. Otherwise
    /// an attacker could take over an account by entering its address at the provider, or register
    /// here in advance with the address of another person.
    async fn link(
        &self,
        issuer: &str,
        claims: &IdTokenClaims,
        link: LinkMode,
    ) -> Result<UserRecord, OpenIdLogin> {
        let unknown = |why| OpenIdLogin::Unknown(Why(why));
        if link == LinkMode::Never {
            return Err(unknown("accounts are not linked at the first login"));
        }
        let email = claims
            .email
            .as_deref()
            .ok_or(unknown("the provider gives no verified address"))?;
        let user = self.users.by_email(email).await?;
        let user = user.ok_or(unknown("no user has the address"))?;
        if !user.verified {
            return Err(unknown("the address is not verified here"));
        }
        if user.disabled {
            return Err(unknown("the user is disabled"));
        }
        let sql = "INSERT INTO auth_identities (issuer, subject, owner, created_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (issuer, subject) DO NOTHING";
        let parameters = [
            issuer.into(),
            claims.subject.as_str().into(),
            user.subject.to_string().into(),
            DateTimeUtc::from(self.clock.now()).into(),
        ];
        let new = self
            .session
            .execute_sql(sql, parameters)
            .await
            .map_err(Unexpected::from)?;
        if new == 0 {
            return Err(unknown("two first logins at once"));
        }
        Ok(user)
    }
}
