//! The session cookie of a request that logs in.

use doyen_core::{Refusal, SecurityEvent, SecurityLog, Unexpected, security};
use doyen_schema::contract::Contract;
use doyen_web::extract::FromRequestParts;
use doyen_web::{Client, Request};

use super::cookie;
use crate::sessions::{OpenSession, SessionId, SessionKind, Sessions, secrets};

/// The session cookie that a request carries, not verified yet.
#[derive(Clone, Default)]
pub(crate) struct PresentedCookie(Option<(SessionId, secrets::Secret)>);

impl PresentedCookie {
    /// Reads a `Cookie` header.
    pub(crate) fn of(header: Option<&str>) -> Self {
        let value = header.and_then(cookie::find);
        Self(value.and_then(secrets::parse_cookie))
    }

    /// Ends the session of this cookie if `open` is a cookie session too.
    ///
    /// The browser replaces the cookie, so that its user could neither use nor end the old session,
    /// while a thief of the old cookie could use it. It ends also if another account logs in.
    pub(crate) async fn end_replaced(
        &self,
        open: &OpenSession,
        sessions: &Sessions,
        log: &dyn SecurityLog,
        client: &Client,
    ) -> Result<(), Unexpected> {
        let (Some((id, secret)), SessionKind::Cookie) = (&self.0, open.record.kind) else {
            return Ok(());
        };
        let Some(old) = sessions.find(*id).await? else {
            return Ok(());
        };
        let is_own = old.kind == SessionKind::Cookie
            && secrets::same(&secrets::hash(secret), &old.secret_hash);
        if is_own && sessions.end(&old.subject, old.id).await? {
            let event = SecurityEvent::new(security::SESSION_REVOKED)
                .subject(&old.subject)
                .session(&old.id.to_string())
                .from(client.address, client.agent.as_deref());
            log.record_on_commit(event.detail("why", "another login in the same browser"));
        }
        Ok(())
    }
}

impl FromRequestParts for PresentedCookie {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        Ok(Some(Self::of(request.parts.header("cookie"))))
    }

    fn describe(_: &mut Contract<'_>) {}
}
