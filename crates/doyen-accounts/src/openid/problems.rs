//! What can go wrong with a login by an outside provider, as the client is told.

use doyen_core::{Problem, Unexpected};

/// Why nobody was logged in.
#[derive(Debug, Problem)]
pub enum OpenIdLogin {
    /// No outside provider is set up here. Log in another way.
    #[problem(not_found, code = "openid_not_configured")]
    NotConfigured,
    /// This login was not begun in this browser, took too long, or was finished before. Begin again.
    #[problem(malformed, code = "openid_login_broken")]
    Broken,
    /// The provider did not log you in, or what it said is not valid. Begin again.
    #[problem(unauthenticated, code = "openid_refused")]
    Refused(#[problem(cause)] Why),
    /// Nobody here goes with that account, or their e-mail address is not known to be theirs on both sides. Log in another way.
    #[problem(forbidden, code = "openid_unknown_user")]
    Unknown(#[problem(cause)] Why),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The reason, for the log alone.
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
