//! Machine clients: programs that act for themselves, not for a user (OAuth 2.0, RFC 6749 section
//! 4.4).
//!
//! An administrator creates a client with a name and scopes, and passes its id and secret to the
//! operator of the program. The program exchanges them for a short-lived access token. The `sub` of
//! the token is the client; it has no roles and no session.
//!
//! | part | is |
//! | --- | --- |
//! | `store` | create, list, revoke, replace the secret; verify the secret |
//! | `grant` | the token request (RFC 6749) |
//! | `metadata` | the metadata of the authorization server (RFC 8414) |
//!
//! A revoked client gets no more tokens, and its tokens are rejected on every node within five
//! seconds; so are those of a replaced secret. There are no authorization codes and no consent, so
//! this is no server for third-party programs.

mod api;
mod grant;
mod metadata;
mod problems;
mod rows;
mod store;
mod token;

pub(crate) use api::routes;
pub(crate) use metadata::Metadata;
pub(crate) use token::public;
