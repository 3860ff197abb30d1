//! The problems of a login with an OpenID provider.

use doyen_core::{Problem, Unexpected};

/// Errors of a login with an OpenID provider.
#[derive(Debug, Problem)]
pub enum OpenIdLogin {
    /// No OpenID provider is configured. Use another login method.
    #[problem(not_found, code = "openid_not_configured")]
    NotConfigured,
    /// The login was not started in this browser, has expired, or was already completed. Start
    /// again.
    #[problem(malformed, code = "openid_login_broken")]
    Broken,
    /// The provider rejected the login, or its response is invalid. Start again.
    #[problem(unauthenticated, code = "openid_refused")]
    Refused(#[problem(cause)] Why),
    /// No account matches that of the provider, or the email address is not verified on both
    /// sides. Use another login method.
    #[problem(forbidden, code = "openid_unknown_user")]
    Unknown(#[problem(cause)] Why),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The reason, for the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why(pub(super) &'static str);

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Why {}

pub(super) fn refused(why: &'static str) -> OpenIdLogin {
    OpenIdLogin::Refused(Why(why))
}
