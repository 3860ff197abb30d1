//! The caller of a request.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{Kind, ProblemInfo, Refusal, SecurityScheme};

/// The authenticated caller of a request, from a verified token, key or session.
///
/// A route with a parameter `Caller` returns a 401 to anonymous callers; one with `Option<Caller>`
/// serves both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Stable id of the user or machine client: the `sub` of its token.
    pub subject: Arc<str>,
    /// Granted scopes.
    pub scopes: Vec<Arc<str>>,
    /// Roles.
    pub roles: Vec<Arc<str>>,
    /// Session id, if a user logged in.
    pub session: Option<Arc<str>>,
    /// Id of the API key or machine client, if there is no session.
    pub key: Option<Arc<str>>,
    /// Generation: it is incremented when the rights of the session, key or client change. A token
    /// of an older generation is refused.
    pub generation: u32,
}

impl Caller {
    /// Creates a caller without rights.
    pub fn new(subject: &str) -> Self {
        Self {
            subject: subject.into(),
            scopes: Vec::new(),
            roles: Vec::new(),
            session: None,
            key: None,
            generation: 0,
        }
    }

    /// True if it has this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|given| &**given == scope)
    }

    /// True if it has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|given| &**given == role)
    }
}

/// The problem for a request without credentials.
pub static UNAUTHENTICATED: ProblemInfo = ProblemInfo {
    code: "unauthenticated",
    kind: Kind::Unauthenticated,
    title: "Unauthorized",
    description: "This operation requires authentication. Send valid credentials of a scheme that `WWW-Authenticate` lists.",
};

/// The problem for a caller without permission.
pub static FORBIDDEN: ProblemInfo = ProblemInfo {
    code: "forbidden",
    kind: Kind::Forbidden,
    title: "Forbidden",
    description: "The caller is not permitted to perform this operation. `detail` names the missing scope, if that is the reason.",
};

/// Identifies the caller of a request. The pipeline calls it before any policy of a route.
#[async_trait::async_trait]
pub trait Identify: Send + Sync + 'static {
    /// Returns the caller with these credentials; `None` if the request has none.
    ///
    /// # Errors
    ///
    /// Returns an error if the credentials are invalid. The default problem is `invalid_token`.
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal>;

    /// Returns the request headers that it reads to identify a caller. The default is every header
    /// that can carry credentials.
    ///
    /// `Vary` lists them in each response of a route, so that a cache does not return the response
    /// of another caller. A missing header can cause that.
    fn credential_headers(&self) -> Vec<CredentialHeader> {
        CredentialHeader::ALL.to_vec()
    }

    /// Returns the schemes that it accepts, for the challenge of a 401 and for the OpenAPI
    /// document. The default is access tokens for `Authorization`, and an API key for each other
    /// header of [`credential_headers`](Identify::credential_headers).
    fn schemes(&self) -> Vec<SecurityScheme> {
        let scheme = |header| match header {
            CredentialHeader::Authorization => SecurityScheme::bearer(),
            CredentialHeader::ApiKey => SecurityScheme::api_key(),
            CredentialHeader::Cookie => SecurityScheme::session_cookie(),
            CredentialHeader::Named(name) => SecurityScheme::header(name),
        };
        self.credential_headers().into_iter().map(scheme).collect()
    }

    /// Every problem it can end in: they stand in the document of each route that is not public.
    fn problems(&self) -> Vec<&'static ProblemInfo> {
        Vec::new()
    }
}

impl<A: Identify> crate::Port<A> for dyn Identify {
    fn adapt(adapter: A) -> Arc<dyn Identify> {
        Arc::new(adapter)
    }
}

/// A request header that can carry credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialHeader {
    /// `Authorization`.
    Authorization,
    /// `X-API-Key`.
    ApiKey,
    /// `Cookie`.
    Cookie,
    /// Another header.
    Named(Cow<'static, str>),
}

impl CredentialHeader {
    /// The headers that [`RequestCredentials`] has fields for.
    pub const ALL: [Self; 3] = [Self::Authorization, Self::ApiKey, Self::Cookie];

    /// Returns the name of the header.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Authorization => "Authorization",
            Self::ApiKey => "X-API-Key",
            Self::Cookie => "Cookie",
            Self::Named(name) => name,
        }
    }
}

/// The head of a request, for credentials that [`RequestCredentials`] has no field for.
pub trait RequestHead: Send + Sync {
    /// Returns the first header of this name, if it is text.
    fn header(&self, name: &str) -> Option<&str>;
    /// Returns the query string, as it was received.
    fn query(&self) -> Option<&str>;
}

/// What a request carries to say who it is from.
#[derive(Clone, Copy, Default)]
pub struct RequestCredentials<'a> {
    /// Value of `Authorization`.
    pub authorization: Option<&'a str>,
    /// Value of `X-API-Key`.
    pub api_key: Option<&'a str>,
    /// Value of `Cookie`.
    pub cookie: Option<&'a str>,
    /// True for a safe method (RFC 9110 section 9.2.1). For other methods with a cookie, the fields
    /// below tell which page sent the request.
    pub safe: bool,
    /// Requested host, with its port.
    pub host: Option<&'a str>,
    /// Value of `Origin`.
    pub origin: Option<&'a str>,
    /// Value of `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// Value of `X-CSRF-Token`.
    pub csrf: Option<&'a str>,
    /// The single-use token of a WebSocket handshake (`?token=`). `None` for every other route.
    pub connection_token: Option<&'a str>,
    /// Address of the client, after trusted proxies. Use it for logs, never as a proof.
    pub address: Option<IpAddr>,
    /// The rest of the request. `None` in tests of an implementation.
    pub head: Option<&'a dyn RequestHead>,
}

impl<'a> RequestCredentials<'a> {
    /// Returns the credential after this authentication scheme, in any case, and its spaces.
    pub fn after(&self, scheme: &str) -> Option<&'a str> {
        let given = self.authorization?;
        let (sent, rest) = given.split_once(' ').unwrap_or((given, ""));
        sent.eq_ignore_ascii_case(scheme)
            .then(|| rest.trim_start_matches(' '))
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        match name {
            name if name.eq_ignore_ascii_case("authorization") => self.authorization,
            name if name.eq_ignore_ascii_case("x-api-key") => self.api_key,
            name => self.head?.header(name),
        }
    }

    /// True if the page of another site can have caused the request: then its cookie does not show
    /// that the user wants it. Clients other than browsers send none of the headers that tell.
    pub fn is_cross_site(&self) -> bool {
        if self.safe {
            return false;
        }
        match (self.fetch_site, self.origin) {
            (Some(site), _) => !matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => {
                let host = origin.split_once("://").map(|(_, host)| host);
                host.is_none() || host != self.host
            }
            (None, None) => false,
        }
    }
}

impl std::fmt::Debug for RequestCredentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestCredentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_of_another_site_does_not_speak_for_the_user() {
        let none = RequestCredentials::default();
        let host = Some("shop.example");
        for (credentials, cross) in [
            (none, false),
            (
                RequestCredentials {
                    fetch_site: Some("cross-site"),
                    ..none
                },
                true,
            ),
            (
                RequestCredentials {
                    fetch_site: Some("same-site"),
                    ..none
                },
                true,
            ),
            (
                RequestCredentials {
                    fetch_site: Some("same-origin"),
                    ..none
                },
                false,
            ),
            (
                RequestCredentials {
                    safe: true,
                    fetch_site: Some("cross-site"),
                    ..none
                },
                false,
            ),
            (
                RequestCredentials {
                    host,
                    origin: Some("https://shop.example"),
                    ..none
                },
                false,
            ),
            (
                RequestCredentials {
                    host,
                    origin: Some("https://evil.example"),
                    ..none
                },
                true,
            ),
            (
                RequestCredentials {
                    host,
                    origin: Some("null"),
                    ..none
                },
                true,
            ),
        ] {
            assert_eq!(
                credentials.is_cross_site(),
                cross,
                "{:?}",
                credentials.fetch_site
            );
        }
    }

    #[test]
    fn a_scheme_is_compared_in_any_case() {
        let of = |authorization| RequestCredentials {
            authorization: Some(authorization),
            ..Default::default()
        };
        assert_eq!(of("token  abc").after("Token"), Some("abc"));
        assert_eq!(of("Token").after("Token"), Some(""));
        assert_eq!(of("Tokens abc").after("Token"), None);
    }
}
