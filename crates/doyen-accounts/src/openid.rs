//! Login with an external OpenID provider (OpenID Connect Core 1.0, code flow with PKCE).
//!
//! ```text
//! browser ── GET /auth/oidc/start ────▶ 303 to the provider, with a cookie that binds the login to
//!                                       this browser
//! provider ─ GET /auth/oidc/callback ─▶ exchange the code, check the ID token, find the user; the
//!                                       response is that of a login
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | `attempt` | state, nonce and verifier of a login attempt, derived from its cookie |
//! | `client` | requests to the provider: fixed hosts, no redirects, limits on time and size |
//! | `provider` | endpoints and keys of the provider |
//! | `id_token` | verifies ID tokens |
//! | `linker` | finds or links the account |
//!
//! This is not a library: signatures and claims need little code on top of the existing
//! cryptography, and the usual library brings an RSA implementation with an open advisory and some
//! ninety packages.
//!
//! It creates no users and stores no tokens of the provider.

mod settings;

#[cfg(feature = "oidc")]
mod api;
#[cfg(feature = "oidc")]
mod attempt;
#[cfg(feature = "oidc")]
mod client;
#[cfg(feature = "oidc")]
mod engine;
#[cfg(feature = "oidc")]
mod id_token;
#[cfg(feature = "oidc")]
mod jwk;
#[cfg(feature = "oidc")]
mod linker;
#[cfg(feature = "oidc")]
mod problems;
#[cfg(feature = "oidc")]
mod provider;
#[cfg(feature = "oidc")]
mod write_context;

#[cfg(feature = "oidc")]
pub(crate) use api::routes;
#[cfg(feature = "oidc")]
pub use engine::{OpenId, WrongOpenId};
#[cfg(feature = "oidc")]
pub use problems::OpenIdLogin;
pub use settings::{LinkMode, OpenIdSettings};
