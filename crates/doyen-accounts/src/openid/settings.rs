//! The settings of the OpenID provider.

use doyen_core::Secret;
use doyen_settings::Settings;

/// The OpenID provider. It is enabled if any of these settings is set.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct OpenIdSettings {
    /// Issuer URL of the provider, compared exactly. Endpoints and keys are read from
    /// `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// Client id of this service at the provider.
    pub client_id: String,
    /// Client secret of this service at the provider.
    pub client_secret: Secret<String>,
    /// Redirect URI that is registered at the provider: the full URL of `/auth/oidc/callback`.
    pub redirect_uri: String,
    /// Scopes to request in addition to `openid`.
    #[setting(default = ["email"])]
    pub scopes: Vec<String>,
    /// Hosts of the provider other than the host of the issuer, such as `oauth2.googleapis.com`.
    /// Requests go to no other hosts.
    #[setting(default = [])]
    pub hosts: Vec<String>,
    /// Account linking at the first login: `verified_email` links by an email address that is
    /// verified on both sides; `never` links no accounts.
    #[setting(default = "verified_email")]
    pub link: LinkMode,
    /// Path to which the browser is redirected after a login with a cookie, such as `/`. If not
    /// set, the response is the same as for a login.
    pub after: Option<String>,
}

/// Account linking at the first login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum LinkMode {
    /// By email address, if it is verified at the provider and in this service.
    VerifiedEmail,
    /// No automatic linking. An operator links accounts in the table `auth_identities`.
    Never,
}
