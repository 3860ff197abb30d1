//! The caller of a request.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{Kind, ProblemInfo, Refusal};

/// The identified caller of a request, from a verified token, key or session.
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
    async fn identify(&self, credentials: Credentials<'_>) -> Result<Option<Arc<Caller>>, Refusal>;

    /// Returns the request headers that it reads to identify a caller. The default is every header
    /// that can carry credentials.
    ///
    /// `Vary` lists them in each response of a route, so that a cache does not return the response
    /// of another caller. A missing header can cause that.
    fn credential_headers(&self) -> Vec<CredentialHeader> {
        CredentialHeader::ALL.to_vec()
    }

    /// Returns the authentication schemes that it accepts, for the challenge of a 401 and for the
    /// OpenAPI document. The default is `Bearer` for `Authorization`, and one for each other header
    /// of [`credential_headers`](Identify::credential_headers).
    fn schemes(&self) -> Vec<AuthScheme> {
        let scheme = |header| match header {
            CredentialHeader::Authorization => AuthScheme::Bearer,
            CredentialHeader::ApiKey => AuthScheme::ApiKey,
            CredentialHeader::Cookie => AuthScheme::Cookie,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialHeader {
    /// `Authorization`.
    Authorization,
    /// `X-API-Key`.
    ApiKey,
    /// `Cookie`.
    Cookie,
}

impl CredentialHeader {
    /// Every header that [`Credentials`] can hold.
    pub const ALL: [Self; 3] = [Self::Authorization, Self::ApiKey, Self::Cookie];
}

/// An authentication scheme, in the order in which a 401 lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AuthScheme {
    /// An access token in `Authorization` (RFC 6750).
    Bearer,
    /// A name and a password in `Authorization` (RFC 7617).
    Basic,
    /// A key in `X-API-Key`.
    ApiKey,
    /// A session in a cookie. It is not in the OpenAPI document, because it is for the pages of the
    /// application.
    Cookie,
}

impl AuthScheme {
    /// Returns the name in `WWW-Authenticate` (RFC 9110 section 11.6.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Basic => "Basic",
            Self::ApiKey => "ApiKey",
            Self::Cookie => "Cookie",
        }
    }
}

/// What a request carries to say who it is from.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
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
    /// Address of the client, after trusted proxies. Use it for logs, never as a proof.
    pub address: Option<IpAddr>,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
