//! Logging in by an outside OpenID provider (OpenID Connect Core 1.0, the code flow with PKCE).
//!
//! ```text
//! browser ── GET /auth/oidc/start ────▶ 303 to the provider, with a cookie that binds the login to this browser
//! provider ─ GET /auth/oidc/callback ─▶ the code is exchanged, the ID token checked, a user found: the answer is that of a login
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | `trip` | state, nonce and verifier of one login: made from the cookie, nothing is stored |
//! | `outside` | the only way out: fixed hosts, no redirects, short, small |
//! | `provider` | the addresses and keys that a provider publishes |
//! | `id_token` | what an ID token must be |
//! | `arrival` | who it is here |
//!
//! It is the crate's own and not a library's: the parts that decide (signatures, claims) are short on the cryptography that is here
//! anyway, and the usual library brings an RSA implementation with an open advisory and some ninety packages.
//!
//! What it does not do: it makes no users, and it keeps none of the provider's tokens.

mod settings;

#[cfg(feature = "oidc")]
mod api;
#[cfg(feature = "oidc")]
mod arrival;
#[cfg(feature = "oidc")]
mod desk;
#[cfg(feature = "oidc")]
mod engine;
#[cfg(feature = "oidc")]
mod id_token;
#[cfg(feature = "oidc")]
mod jwk;
#[cfg(feature = "oidc")]
mod outside;
#[cfg(feature = "oidc")]
mod problems;
#[cfg(feature = "oidc")]
mod provider;
#[cfg(feature = "oidc")]
mod trip;

#[cfg(feature = "oidc")]
pub(crate) use api::routes;
#[cfg(feature = "oidc")]
pub use engine::{OpenId, WrongOpenId};
#[cfg(feature = "oidc")]
pub use problems::OpenIdLogin;
pub use settings::{LinkMode, OpenIdSettings};
