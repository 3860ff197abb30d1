//! What can be set about an outside OpenID provider.

use doyen_core::{Secret, Settings};

/// An outside OpenID provider. It is there as soon as one of these is set.
#[derive(Debug, Clone, Settings)]
pub struct OpenIdSettings {
    /// The provider: a URL, compared letter by letter. Its addresses and keys are read from `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// What this service is called there.
    pub client_id: String,
    /// What proves that.
    pub client_secret: Secret<String>,
    /// Where the provider sends people back: the whole address of `/auth/oidc/callback`, as it is registered there.
    pub redirect_uri: String,
    /// What is asked for besides `openid`.
    #[setting(default = ["email"])]
    pub scopes: Vec<String>,
    /// Other hosts than the issuer's that the provider answers on, such as `oauth2.googleapis.com`. No others are called.
    #[setting(default = [])]
    pub hosts: Vec<String>,
    /// How somebody who comes for the first time finds their account.
    #[setting(default = "verified_email")]
    pub link: LinkMode,
    /// Where the browser goes after a login that gives a cookie, for example `/`. Without it the answer is that of a login.
    pub after: Option<String>,
}

/// How somebody who comes for the first time finds their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum LinkMode {
    /// By the e-mail address, when the provider says that it is verified and it is verified here.
    VerifiedEmail,
    /// Not at all: accounts are linked in the table `auth_identities` by whoever keeps them.
    Never,
}
