//! Security schemes: the ways in which a request can prove who sends it.
//!
//! One value describes a scheme for everything that shows it: the `securitySchemes` of the OpenAPI
//! document, the challenge of a 401, `Vary`, and the headers that CORS permits.

use std::borrow::Cow;

use crate::CredentialHeader;

/// A security scheme.
///
/// ```
/// use doyen_core::SecurityScheme;
///
/// let token = SecurityScheme::authorization("Token").description("An access token.");
/// assert_eq!(token.challenge().as_deref(), Some("Token realm=\"api\""));
/// assert_eq!(token.name(), "token");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityScheme {
    name: Cow<'static, str>,
    description: Cow<'static, str>,
    source: CredentialSource,
    form: SchemeForm,
}

/// The part of a request that carries a credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CredentialSource {
    /// `Authorization`, with this authentication scheme before the credential.
    Authorization(Cow<'static, str>),
    /// A header of this name.
    Header(Cow<'static, str>),
    /// A query parameter of this name.
    Query(Cow<'static, str>),
    /// A cookie of this name.
    Cookie(Cow<'static, str>),
}

/// The form of a scheme in the OpenAPI document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemeForm {
    /// `type: http`, with the format of a bearer token.
    Http {
        /// Format of the token.
        bearer_format: Option<Cow<'static, str>>,
    },
    /// `type: apiKey`.
    ApiKey,
    /// `type: oauth2` with the password flow, whose tokens this URL issues.
    OAuth2Password {
        /// URL of the token endpoint, absolute or relative to the document.
        token_url: Cow<'static, str>,
    },
    /// `type: openIdConnect`, with the URL of the metadata of the issuer.
    OpenIdConnect {
        /// URL of the metadata.
        url: Cow<'static, str>,
    },
    /// Not in the document: for the pages of the application.
    Hidden,
}

/// Authentication schemes that the OpenAPI document can name (`type: http`): those that are
/// registered with IANA and that tools know. Every other one is an `apiKey` in `Authorization`.
const REGISTERED: [&str; 3] = ["bearer", "basic", "digest"];

impl SecurityScheme {
    const fn new(
        name: &'static str,
        source: CredentialSource,
        form: SchemeForm,
        description: &'static str,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            description: Cow::Borrowed(description),
            source,
            form,
        }
    }

    /// The access tokens of this application in `Authorization: Bearer` (RFC 6750).
    pub const fn bearer() -> Self {
        Self::new(
            "bearer",
            CredentialSource::Authorization(Cow::Borrowed("Bearer")),
            SchemeForm::Http {
                bearer_format: Some(Cow::Borrowed("JWT (RFC 9068, see RFC 8725)")),
            },
            "Access token from a login, sent as `Authorization: Bearer <token>`.",
        )
    }

    /// A name and a password in `Authorization: Basic` (RFC 7617).
    pub const fn basic() -> Self {
        Self::new(
            "basic",
            CredentialSource::Authorization(Cow::Borrowed("Basic")),
            SchemeForm::Http {
                bearer_format: None,
            },
            "A name and a password, sent as `Authorization: Basic` (RFC 7617).",
        )
    }

    /// A key of this application in `X-API-Key`.
    pub const fn api_key() -> Self {
        Self::new(
            "api_key",
            CredentialSource::Header(Cow::Borrowed("X-API-Key")),
            SchemeForm::ApiKey,
            "API key that a user created for a program. It grants the scopes of the key that its owner still has. Send it instead of an \
                       access token, never together with one.",
        )
    }

    /// A session of this application in a cookie. It is not in the document, because it is for the
    /// pages of the application.
    pub const fn session_cookie() -> Self {
        Self::new(
            "cookie",
            CredentialSource::Cookie(Cow::Borrowed("")),
            SchemeForm::Hidden,
            "",
        )
    }

    /// A credential after another authentication scheme: `Authorization: Token <credential>`. Its
    /// name in the document is the scheme in lower case.
    pub fn authorization(scheme: impl Into<Cow<'static, str>>) -> Self {
        let scheme = scheme.into();
        let lower = scheme.to_ascii_lowercase();
        let form = if REGISTERED.contains(&&*lower) {
            SchemeForm::Http {
                bearer_format: None,
            }
        } else {
            SchemeForm::ApiKey
        };
        Self {
            name: lower.into(),
            description: format!("Sent as `Authorization: {scheme} <credential>`.").into(),
            source: CredentialSource::Authorization(scheme),
            form,
        }
    }

    /// An API key in a header of this name.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        Self {
            name: document_name(&name),
            description: format!("API key, sent in the header `{name}`.").into(),
            source: CredentialSource::Header(name),
            form: SchemeForm::ApiKey,
        }
    }

    /// An API key in a query parameter of this name. URLs end up in logs and histories, so prefer a
    /// header.
    pub fn query(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        Self {
            name: document_name(&name),
            description: format!("API key, sent in the query parameter `{name}`.").into(),
            source: CredentialSource::Query(name),
            form: SchemeForm::ApiKey,
        }
    }

    /// An API key in a cookie of this name.
    pub fn cookie(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        Self {
            name: document_name(&name),
            description: format!("API key, sent in the cookie `{name}`.").into(),
            source: CredentialSource::Cookie(name),
            form: SchemeForm::ApiKey,
        }
    }

    /// A bearer token from the OAuth 2.0 password flow, whose token endpoint has this URL.
    pub fn oauth2_password(token_url: impl Into<Cow<'static, str>>) -> Self {
        Self {
            form: SchemeForm::OAuth2Password {
                token_url: token_url.into(),
            },
            description: Cow::Borrowed("Access token for a user name and a password."),
            ..Self::bearer().named("oauth2")
        }
    }

    /// A bearer token of an OpenID provider, whose metadata has this URL.
    pub fn openid_connect(url: impl Into<Cow<'static, str>>) -> Self {
        Self {
            form: SchemeForm::OpenIdConnect { url: url.into() },
            description: Cow::Borrowed("Access token of an OpenID provider."),
            ..Self::bearer().named("openid")
        }
    }

    /// Sets the name in the document, for two schemes of one kind.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the description in the document.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = description.into();
        self
    }

    /// Leaves the scheme out of the document.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.form = SchemeForm::Hidden;
        self
    }

    /// Returns the name in the document.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the description in the document.
    pub fn text(&self) -> &str {
        &self.description
    }

    /// Returns the part of a request that carries the credential.
    pub const fn source(&self) -> &CredentialSource {
        &self.source
    }

    /// Returns the form in the document.
    pub const fn form(&self) -> &SchemeForm {
        &self.form
    }

    /// True for access tokens, whose scopes the document lists.
    pub fn has_scopes(&self) -> bool {
        matches!(&self.source, CredentialSource::Authorization(scheme) if scheme.eq_ignore_ascii_case("bearer"))
    }

    /// Returns the request header that carries the credential; `None` for the query string.
    pub fn credential_header(&self) -> Option<CredentialHeader> {
        Some(match &self.source {
            CredentialSource::Authorization(_) => CredentialHeader::Authorization,
            CredentialSource::Header(name) if name.eq_ignore_ascii_case("x-api-key") => {
                CredentialHeader::ApiKey
            }
            CredentialSource::Header(name) if name.eq_ignore_ascii_case("authorization") => {
                CredentialHeader::Authorization
            }
            CredentialSource::Header(name) => CredentialHeader::Named(name.clone()),
            CredentialSource::Cookie(_) => CredentialHeader::Cookie,
            CredentialSource::Query(_) => return None,
        })
    }

    /// Returns the challenge in `WWW-Authenticate` (RFC 9110 section 11.6.1); `None` if a header
    /// cannot contain the name of the scheme.
    pub fn challenge(&self) -> Option<String> {
        let scheme: &str = match &self.source {
            CredentialSource::Authorization(scheme) => scheme,
            CredentialSource::Cookie(_) if self.form == SchemeForm::Hidden => "Cookie",
            _ => "ApiKey",
        };
        let is_token = !scheme.is_empty()
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        is_token.then(|| format!("{scheme} realm=\"api\""))
    }

    /// Position in the challenge of a 401: access tokens first, cookies last.
    #[doc(hidden)]
    pub fn rank(&self) -> (u8, &str) {
        let rank = match &self.source {
            CredentialSource::Authorization(scheme) if scheme == "Bearer" => 0,
            CredentialSource::Authorization(_) => 1,
            CredentialSource::Header(_) => 2,
            CredentialSource::Query(_) => 3,
            CredentialSource::Cookie(_) => 4,
        };
        (rank, &self.name)
    }
}

/// Returns a name for `components`, which permits letters, digits, `.`, `-` and `_`.
fn document_name(name: &str) -> Cow<'static, str> {
    let fits = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    let name = name.chars().map(|char| if fits(char) { char } else { '_' });
    Cow::Owned(name.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_of_no_registry_is_a_key_in_authorization() {
        let token = SecurityScheme::authorization("Token");
        assert_eq!(*token.form(), SchemeForm::ApiKey);
        assert_eq!(
            token.credential_header(),
            Some(CredentialHeader::Authorization)
        );
        let digest = SecurityScheme::authorization("Digest");
        assert!(matches!(digest.form(), SchemeForm::Http { .. }));
    }

    #[test]
    fn a_scheme_with_a_forged_name_has_no_challenge() {
        let forged = SecurityScheme::authorization("x\r\nset-cookie: a");
        assert_eq!(forged.challenge(), None);
    }

    #[test]
    fn names_fit_the_components_of_the_document() {
        assert_eq!(SecurityScheme::query("api key").name(), "api_key");
    }
}
