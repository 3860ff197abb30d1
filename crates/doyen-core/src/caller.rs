//! Who is calling.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{Kind, ProblemInfo, Refusal};

/// The identified caller of this request: what a verified token, key or session says.
///
/// Ask for `Caller` and the route answers 401 when nobody is logged in; ask for `Option<Caller>` to serve both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The stable id of the user or machine: the `sub` of its token.
    pub subject: Arc<str>,
    /// The scopes it was given.
    pub scopes: Vec<Arc<str>>,
    /// The roles it has.
    pub roles: Vec<Arc<str>>,
    /// The session it belongs to, when a person logged in.
    pub session: Option<Arc<str>>,
    /// The API key or machine client it came with, when it is no person.
    pub key: Option<Arc<str>>,
    /// Counts up when the rights of its session, key or client change: a token of an older generation is refused.
    pub generation: u32,
}

impl Caller {
    /// A caller without any rights yet.
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

    /// True when it was given this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|given| &**given == scope)
    }

    /// True when it has this role.
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

/// How an application tells who is calling. The edge asks it before any policy of a route.
#[async_trait::async_trait]
pub trait Identify: Send + Sync + 'static {
    /// The caller behind these credentials; `None` when the request carries none.
    ///
    /// # Errors
    ///
    /// The credentials are not valid. The default problem is `invalid_token`.
    async fn identify(&self, credentials: Credentials<'_>) -> Result<Option<Arc<Caller>>, Refusal>;

    /// Returns the request header fields that it reads to identify a caller. The default is every
    /// field that can carry credentials.
    ///
    /// `Vary` lists them on each response of a route, so that a cache does not give one caller the
    /// response to another. If a field is missing here, caches can do that.
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

/// A request header field that can carry credentials.
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
    /// Every field that [`Credentials`] can hold.
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
    /// The whole value of the `Authorization` field.
    pub authorization: Option<&'a str>,
    /// The value of the `X-API-Key` field.
    pub api_key: Option<&'a str>,
    /// The value of the `Cookie` field.
    pub cookie: Option<&'a str>,
    /// True for a method that changes nothing (RFC 9110 section 9.2.1). The fields below are read only beside a cookie: they tell whether
    /// the page that sends it may.
    pub safe: bool,
    /// The host that is asked, with its port.
    pub host: Option<&'a str>,
    /// The value of the `Origin` field.
    pub origin: Option<&'a str>,
    /// The value of the `Sec-Fetch-Site` field.
    pub fetch_site: Option<&'a str>,
    /// The value of the `X-CSRF-Token` field.
    pub csrf: Option<&'a str>,
    /// Where the request comes from, after trusted proxies: for what is written down, never as a proof.
    pub address: Option<IpAddr>,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
