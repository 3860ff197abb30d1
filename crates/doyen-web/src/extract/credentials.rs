//! `Credentials<S>`: what a request carries for one security scheme.
//!
//! As a parameter of a function for `App::identify` it makes the scheme one of the application: its
//! caller is checked by `allow`. As a parameter of a handler it gives the credential to that
//! handler, for any caller.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_core::problem::{Challenged, Plain};
use doyen_core::{
    CredentialSource, Refusal, RequestCredentials, RequestHead, Secret, SecurityScheme,
    UNAUTHENTICATED,
};
use doyen_schema::contract::Contract;

use super::FromRequestParts;
use crate::request::Request;

/// A security scheme as a type, for [`Credentials`].
///
/// ```
/// use doyen_core::{Secret, SecurityScheme};
/// use doyen_web::extract::Scheme;
///
/// /// `Authorization: Token <jwt>`, as the clients of this API send it.
/// struct Token;
///
/// impl Scheme for Token {
///     type Credential = Secret<String>;
///     fn scheme() -> SecurityScheme {
///         SecurityScheme::authorization("Token")
///     }
/// }
/// ```
pub trait Scheme: Send + Sync + 'static {
    /// What is read: the text of the credential, or a type that parses it.
    type Credential: ParseCredential;

    /// Returns the scheme.
    fn scheme() -> SecurityScheme;
}

/// A credential that is parsed from its text.
pub trait ParseCredential: Sized + Send {
    /// Parses the text after the authentication scheme, or the value of the key. `None` for
    /// malformed text.
    fn parse(text: &str) -> Option<Self>;
}

impl ParseCredential for Secret<String> {
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned().into())
    }
}

/// The credential of a request for one scheme. Without one, a handler with this parameter returns a
/// 401 with the challenge of the scheme; one with `Option<Credentials<S>>` gets `None`.
///
/// ```
/// use doyen_web::extract::{Basic, Credentials};
///
/// async fn whoami(Credentials(basic): Credentials<Basic>) -> doyen_web::Text {
///     doyen_web::Text(basic.name)
/// }
/// # let _ = whoami;
/// ```
pub struct Credentials<S: Scheme>(
    /// The credential.
    pub S::Credential,
);

impl<S: Scheme> fmt::Debug for Credentials<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A name and a password in `Authorization: Basic` (RFC 7617).
#[derive(Debug)]
pub struct Basic;

impl Scheme for Basic {
    type Credential = BasicCredential;
    fn scheme() -> SecurityScheme {
        SecurityScheme::basic()
    }
}

/// A name and a password.
#[derive(Clone, Debug)]
pub struct BasicCredential {
    /// Name, without `:`.
    pub name: String,
    /// Password.
    pub password: Secret<String>,
}

impl ParseCredential for BasicCredential {
    fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim_end()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self {
            name: name.to_owned(),
            password: password.to_owned().into(),
        })
    }
}

/// A token in `Authorization: Bearer` (RFC 6750), as text.
#[derive(Debug)]
pub struct BearerToken;

impl Scheme for BearerToken {
    type Credential = Secret<String>;
    fn scheme() -> SecurityScheme {
        SecurityScheme::bearer()
    }
}

/// Returns the credential of a request for this scheme; `None` if it has none.
///
/// # Errors
///
/// Returns a 401 with the challenge of the scheme for a malformed credential.
pub fn credential<S: Scheme>(
    request: &RequestCredentials<'_>,
) -> Result<Option<Credentials<S>>, Refusal> {
    let scheme = S::scheme();
    let Some(text) = presented(request, scheme.source()) else {
        return Ok(None);
    };
    let refused = || refuse(&scheme, Some("The credential is malformed."));
    let credential = S::Credential::parse(&text).ok_or_else(refused)?;
    Ok(Some(Credentials(credential)))
}

/// Returns the text of a credential; `None` if it is missing or empty.
pub fn presented<'a>(
    request: &RequestCredentials<'a>,
    source: &CredentialSource,
) -> Option<Cow<'a, str>> {
    let text = match source {
        CredentialSource::Authorization(name) => request.after(name).map(Cow::Borrowed),
        CredentialSource::Header(name) => request.header(name).map(Cow::Borrowed),
        CredentialSource::Query(name) => request.head.and_then(|head| in_query(head, name)),
        // A page of another site can send the cookie, but not in the name of the user.
        CredentialSource::Cookie(name) if !request.is_cross_site() => request
            .cookie
            .and_then(|cookies| in_cookies(cookies, name))
            .map(Cow::Borrowed),
        _ => None,
    };
    text.filter(|text| !text.is_empty())
}

/// Returns a 401 with the challenge of one scheme.
fn refuse(scheme: &SecurityScheme, detail: Option<&str>) -> Refusal {
    let refusal = Plain::new(&UNAUTHENTICATED);
    let refusal = match detail {
        Some(detail) => refusal.detail(detail),
        None => refusal,
    };
    match scheme.challenge() {
        Some(challenge) => Challenged::new(refusal.into(), challenge).into(),
        None => refusal.into(),
    }
}

/// Returns the first value of a parameter in the query string, percent-decoded.
fn in_query<'a>(head: &'a dyn RequestHead, name: &str) -> Option<Cow<'a, str>> {
    let pairs = head.query()?.split('&');
    let value = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| {
            percent_encoding::percent_decode_str(key)
                .decode_utf8()
                .is_ok_and(|key| key == name)
        })
        .map(|(_, value)| value)?;
    if value.contains('+') {
        let spaced = value.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .ok()?;
        return Some(decoded.into_owned().into());
    }
    percent_encoding::percent_decode_str(value)
        .decode_utf8()
        .ok()
}

/// Returns the first cookie of this name.
fn in_cookies<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"'))
}

/// Reads the credential of a request to a handler.
fn of_handler<S: Scheme>(request: &Request) -> Result<Option<Credentials<S>>, Refusal> {
    let parts = &request.parts;
    let head = Head(&parts.head);
    let credentials = RequestCredentials {
        authorization: parts.header("authorization"),
        cookie: parts.header("cookie"),
        safe: parts.head.method.is_safe(),
        host: parts
            .head
            .uri
            .authority()
            .map(http::uri::Authority::as_str)
            .or_else(|| parts.header("host")),
        origin: parts.header("origin"),
        fetch_site: parts.header("sec-fetch-site"),
        head: Some(&head),
        ..RequestCredentials::default()
    };
    credential(&credentials)
}

/// The head of a request, for schemes of the application.
pub(crate) struct Head<'a>(pub(crate) &'a http::request::Parts);

impl RequestHead for Head<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)?.to_str().ok()
    }
    fn query(&self) -> Option<&str> {
        self.0.uri.query()
    }
}

impl<S: Scheme> FromRequestParts for Credentials<S> {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let found = of_handler(request)?;
        found.map(Some).ok_or_else(|| refuse(&S::scheme(), None))
    }

    fn describe(contract: &mut Contract<'_>) {
        contract.operation.credential(S::scheme(), true);
        contract.operation.fails([&UNAUTHENTICATED]);
    }
}

#[diagnostic::do_not_recommend]
impl<S: Scheme> FromRequestParts for Option<Credentials<S>> {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        of_handler(request).map(Some)
    }

    fn describe(contract: &mut Contract<'_>) {
        contract.operation.credential(S::scheme(), false);
        contract.operation.fails([&UNAUTHENTICATED]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_may_contain_a_colon_and_is_never_printed() {
        let basic = BasicCredential::parse("YWRhOnNlY3JldDoxIQ==").unwrap();
        assert_eq!(basic.name, "ada");
        assert_eq!(basic.password.expose(), "secret:1!");
        assert!(!format!("{basic:?}").contains("secret"));
        for malformed in ["YWRh", "%%%", "/w=="] {
            assert!(BasicCredential::parse(malformed).is_none(), "{malformed}");
        }
    }

    #[test]
    fn cookies_and_parameters_are_found_by_their_whole_name() {
        assert_eq!(in_cookies("xkey=1; key=2; key=3", "key"), Some("2"));
        struct Query;
        impl RequestHead for Query {
            fn header(&self, _: &str) -> Option<&str> {
                None
            }
            fn query(&self) -> Option<&str> {
                Some("xkey=1&k%65y=a%2Bb+c")
            }
        }
        assert_eq!(in_query(&Query, "key").unwrap(), "a+b c");
        assert_eq!(in_query(&Query, "ey"), None);
    }
}
