//! Identifies the caller by `Authorization: Bearer`.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::inject::{Context, Node};
use doyen_core::problem::{Challenged, UNAVAILABLE};
use doyen_core::{
    Caller, CredentialHeader, CredentialSource, Identify, Inject, Kind, Lifetime, Problem,
    ProblemInfo, Refusal, RequestCredentials, SecurityScheme, Unexpected,
};

use crate::{Claims, Rejected, RevocationList, TokenUses, Tokens};

/// Identifies callers by their access token (RFC 6750). Bind it to the port:
/// `.provide(tokens).bind::<dyn Identify, Bearer>()`.
///
/// A request without the header, or with another scheme such as `Basic`, carries no credentials
/// here. RFC 6750 section 3.1 treats both alike: an error code would tell a client to fix a token
/// that it never sent. An invalid bearer token is refused. A public route continues without a
/// caller, so that an expired token does not keep its owner from logging in again.
///
/// With a [list](Self::revocable), a token is refused as soon as its session, key or client is
/// revoked or has other rights. The list is in memory, so an identification needs no query.
///
/// Tokens in the query string or the body are never read.
#[derive(Clone)]
pub struct Bearer {
    tokens: Arc<Tokens>,
    revocations: Option<Arc<RevocationList>>,
    uses: Option<Arc<dyn TokenUses>>,
    scheme: SecurityScheme,
}

impl Bearer {
    /// Identifies callers with these tokens.
    pub fn new(tokens: Arc<Tokens>) -> Self {
        Self {
            tokens,
            revocations: None,
            uses: None,
            scheme: SecurityScheme::bearer(),
        }
    }

    /// Reads the tokens after another authentication scheme than `Bearer`.
    #[must_use]
    pub fn scheme(self, scheme: SecurityScheme) -> Self {
        Self { scheme, ..self }
    }

    /// Returns the caller of an access token: for schemes of an application, and for messages that
    /// carry a token elsewhere than in a request.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidToken`] if the token is malformed, expired, revoked or not of this service,
    /// and a 503 if the list of revocations cannot be read.
    pub async fn caller(&self, token: &str) -> Result<Arc<Caller>, CheckToken> {
        self.caller_from(token, None).await
    }

    async fn caller_from(
        &self,
        token: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Caller>, CheckToken> {
        let claims = self.tokens.check(token).await.map_err(InvalidToken)?;
        if !self.counts(&claims).await? {
            return Err(InvalidToken(Rejected::Revoked).into());
        }
        if let Some(uses) = &self.uses {
            let now = self.tokens.now();
            if claims.last_use.is_news(now) {
                uses.used(&claims, address, now);
            }
        }
        Ok(Arc::clone(&claims.caller))
    }

    /// Refuses tokens that are revoked in this list.
    #[must_use]
    pub fn revocable(self, revocations: Arc<RevocationList>) -> Self {
        Self {
            revocations: Some(revocations),
            ..self
        }
    }

    /// Reports the use of valid tokens.
    #[must_use]
    pub fn reporting(self, uses: Arc<dyn TokenUses>) -> Self {
        Self {
            uses: Some(uses),
            ..self
        }
    }

    async fn counts(&self, claims: &Claims) -> Result<bool, Unexpected> {
        let Some(list) = &self.revocations else {
            return Ok(true);
        };
        // A token that outlives an entry of the list (its lifetime setting was reduced since) could
        // become valid again.
        if claims.expires_at.since(claims.issued_at) > list.kept() {
            return Ok(false);
        }
        list.permits(&claims.caller).await
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer")
            .field("tokens", &self.tokens)
            .field("revocations", &self.revocations)
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Identify for Bearer {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let CredentialSource::Authorization(name) = self.scheme.source() else {
            return Ok(None);
        };
        let Some(token) = credentials.after(name) else {
            return Ok(None);
        };
        match self.caller_from(token, credentials.address).await {
            Ok(caller) => Ok(Some(caller)),
            Err(refused) if self.scheme.has_scopes() => Err(refused.into()),
            // The pipeline knows the challenge of RFC 6750 only.
            Err(refused) => match (refused.info().kind, self.scheme.challenge()) {
                (Kind::Unauthenticated, Some(challenge)) => {
                    let challenge = format!("{challenge}, error=\"invalid_token\"");
                    Err(Challenged::new(refused.into(), challenge).into())
                }
                _ => Err(refused.into()),
            },
        }
    }

    fn credential_headers(&self) -> Vec<CredentialHeader> {
        vec![CredentialHeader::Authorization]
    }

    fn schemes(&self) -> Vec<SecurityScheme> {
        vec![self.scheme.clone()]
    }

    fn problems(&self) -> Vec<&'static ProblemInfo> {
        let mut all = InvalidToken::catalogue();
        all.extend(self.revocations.as_ref().map(|_| &UNAVAILABLE));
        all
    }
}

#[diagnostic::do_not_recommend]
impl Inject for Bearer {
    const LIFETIME: Lifetime = Lifetime::Application;

    fn node() -> Node {
        Node::of::<Self>(vec![<Arc<Tokens> as Inject>::node])
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        Ok(Self::new(cx.get().await?))
    }
}

/// The problem for an invalid access token.
pub static INVALID_TOKEN: ProblemInfo = ProblemInfo {
    code: "invalid_token",
    kind: Kind::Unauthenticated,
    title: "Invalid Token",
    description: "The access token is malformed, expired, revoked or not valid for this service. Get a new token and try again.",
};

/// An access token was refused. The client learns whether it expired; the log has the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidToken(pub Rejected);

#[diagnostic::do_not_recommend]
impl Problem for InvalidToken {
    fn info(&self) -> &'static ProblemInfo {
        &INVALID_TOKEN
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&INVALID_TOKEN]
    }

    /// The signature is checked before the time, so only the holder of a genuine token learns that
    /// it expired.
    fn detail(&self) -> Option<String> {
        (self.0 == Rejected::Expired).then(|| "The access token has expired.".to_owned())
    }

    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Why there is no caller for a token.
#[derive(Debug, Problem)]
pub enum CheckToken {
    /// The token was refused.
    #[problem(transparent)]
    Invalid(InvalidToken),
    /// The list of revocations cannot be read.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::testing::{caller, tokens};

    async fn ask(
        bearer: &Bearer,
        authorization: Option<&str>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        bearer
            .identify(RequestCredentials {
                authorization,
                ..RequestCredentials::default()
            })
            .await
    }

    #[tokio::test]
    async fn a_good_token_is_its_caller_in_any_case_of_the_scheme() {
        let (tokens, _) = tokens();
        let token = tokens.issue(&caller()).unwrap().token;
        let bearer = Bearer::new(tokens);
        for scheme in ["Bearer ", "bearer ", "BEARER  "] {
            assert_eq!(
                ask(&bearer, Some(&format!("{scheme}{token}")))
                    .await
                    .unwrap(),
                Some(caller().into())
            );
        }
    }

    #[tokio::test]
    async fn no_field_and_other_schemes_are_nobody() {
        let bearer = Bearer::new(tokens().0);
        for authorization in [
            None,
            Some(""),
            Some("Basic dXNlcjpwYXNz"),
            Some("Digest x"),
            Some("Bearerx y"),
        ] {
            assert_eq!(
                ask(&bearer, authorization).await.unwrap(),
                None,
                "{authorization:?}"
            );
        }
    }

    #[tokio::test]
    async fn anything_else_behind_bearer_is_an_invalid_token() {
        let (tokens, clock) = tokens();
        let good = tokens.issue(&caller()).unwrap().token;
        let bearer = Bearer::new(tokens);
        for authorization in [
            "Bearer",
            "Bearer ",
            "Bearer x",
            &format!("Bearer {good} "),
            &format!("Bearer {good},{good}"),
            &format!("Bearer\t{good}"),
        ] {
            let Err(refusal) = ask(&bearer, Some(authorization)).await else {
                // A tab is not a separator: the scheme is another one, and there is no caller.
                assert!(authorization.contains('\t'), "{authorization}");
                continue;
            };
            assert_eq!(refusal.info().code, "invalid_token", "{authorization}");
            assert_eq!(refusal.info().kind.status(), 401);
            assert_eq!(refusal.detail(), None);
            assert!(refusal.cause().is_some());
        }
        clock.forward(3600);
        let refusal = ask(&bearer, Some(&format!("Bearer {good}")))
            .await
            .unwrap_err();
        assert_eq!(refusal.detail().unwrap(), "The access token has expired.");
    }
}
