//! Several ways to identify a caller.

use std::sync::Arc;

use doyen_core::problem::Plain;
use doyen_core::{
    Caller, CredentialHeader, CredentialSource, Identify, Kind, ProblemInfo, Refusal,
    RequestCredentials, SecurityScheme,
};
use doyen_web::extract::presented;

/// The problem for a request with conflicting credentials.
pub static INVALID_REQUEST: ProblemInfo = ProblemInfo {
    code: "invalid_request",
    kind: Kind::Malformed,
    title: "Invalid Request",
    description: "The request has conflicting credentials, or a required parameter is missing or repeated. `detail` says what is wrong.",
};

/// Asks several ways of identification, in order, until one knows the caller or rejects the
/// credentials.
///
/// | the request carries | counts |
/// | --- | --- |
/// | `Authorization` and `X-API-Key` | neither: 400 `invalid_request` (RFC 6750 section 2) |
/// | `Authorization` | it alone: a cookie is ignored |
/// | `X-API-Key` | it alone |
/// | the single-use token of a WebSocket handshake | it, if the ones above are missing |
/// | a header or query parameter of a scheme of the application | it, if the ones above are missing or not known; never a cookie |
/// | `Cookie` | it |
///
/// A header counts even if nothing here understands it: a request never falls back to a cookie
/// that its sender may not know of.
pub(crate) struct Identifiers {
    all: Vec<Arc<dyn Identify>>,
    /// Headers and query parameters of schemes of the application.
    others: Vec<CredentialSource>,
}

impl Identifiers {
    pub(crate) fn new(all: Vec<Arc<dyn Identify>>) -> Self {
        let schemes = all.iter().flat_map(|one| one.schemes());
        let others = schemes.filter(|scheme| match scheme.credential_header() {
            Some(CredentialHeader::Named(_)) | None => true,
            Some(_) => false,
        });
        let others = others.map(|scheme| scheme.source().clone()).collect();
        Self { all, others }
    }
}

#[async_trait::async_trait]
impl Identify for Identifiers {
    async fn identify(
        &self,
        mut credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        match (credentials.authorization, credentials.api_key) {
            (Some(_), Some(_)) => {
                return Err(Plain::new(&INVALID_REQUEST)
                    .detail("send `Authorization` or `X-API-Key`, not both")
                    .into());
            }
            (None, None) => {
                let is_presented = |source| presented(&credentials, source).is_some();
                if credentials.connection_token.is_some() || self.others.iter().any(is_presented) {
                    credentials.cookie = None;
                }
            }
            _ => credentials.cookie = None,
        }
        for identify in &self.all {
            if let Some(caller) = identify.identify(credentials).await? {
                return Ok(Some(caller));
            }
        }
        Ok(None)
    }

    fn credential_headers(&self) -> Vec<CredentialHeader> {
        let of_each = self.all.iter().flat_map(|one| one.credential_headers());
        let read: Vec<CredentialHeader> = of_each.collect();
        let known = CredentialHeader::ALL.into_iter();
        let mut all: Vec<CredentialHeader> = known.filter(|header| read.contains(header)).collect();
        for header in read {
            if !all.contains(&header) {
                all.push(header);
            }
        }
        all
    }

    fn schemes(&self) -> Vec<SecurityScheme> {
        self.all.iter().flat_map(|one| one.schemes()).collect()
    }

    fn problems(&self) -> Vec<&'static ProblemInfo> {
        let mut all = vec![&INVALID_REQUEST];
        all.extend(self.all.iter().flat_map(|identify| identify.problems()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Identifies a caller by one header.
    struct Looks(fn(&RequestCredentials<'_>) -> Option<String>);

    #[async_trait::async_trait]
    impl Identify for Looks {
        async fn identify(
            &self,
            credentials: RequestCredentials<'_>,
        ) -> Result<Option<Arc<Caller>>, Refusal> {
            Ok((self.0)(&credentials).map(|name| Arc::new(Caller::new(&name))))
        }
    }

    fn all() -> Identifiers {
        let field = |look| Arc::new(Looks(look)) as Arc<dyn Identify>;
        Identifiers::new(vec![
            field(|c| c.authorization?.strip_prefix("Bearer ").map(str::to_owned)),
            field(|c| c.cookie.map(str::to_owned)),
            field(|c| c.api_key.map(str::to_owned)),
        ])
    }

    async fn who(
        authorization: Option<&str>,
        api_key: Option<&str>,
        cookie: Option<&str>,
    ) -> Result<Option<String>, &'static str> {
        let credentials = RequestCredentials {
            authorization,
            api_key,
            cookie,
            ..RequestCredentials::default()
        };
        let found = all().identify(credentials).await;
        found
            .map(|caller| caller.map(|caller| caller.subject.to_string()))
            .map_err(|refusal| refusal.info().code)
    }

    #[tokio::test]
    async fn t12_two_ways_at_once_are_refused() {
        assert_eq!(
            who(Some("Bearer a"), Some("b"), None).await,
            Err("invalid_request")
        );
        assert_eq!(
            who(Some("Basic x"), Some("b"), Some("c")).await,
            Err("invalid_request")
        );
    }

    #[tokio::test]
    async fn a_header_wins_over_a_cookie_even_if_it_is_unknown() {
        for (authorization, api_key, cookie, found) in [
            (Some("Bearer a"), None, Some("c"), Some("a")),
            (Some("Basic a"), None, Some("c"), None),
            (None, Some("b"), Some("c"), Some("b")),
            (None, None, Some("c"), Some("c")),
            (None, None, None, None),
        ] {
            let found = Ok(found.map(str::to_owned));
            assert_eq!(who(authorization, api_key, cookie).await, found);
        }
    }
}
