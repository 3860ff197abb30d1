//! Machine clients: programs that act for themselves and not for a user (OAuth 2.0, RFC 6749 section 4.4).
//!
//! An administrator makes a client with a name and scopes, and hands its id and secret to whoever runs the program. The program exchanges
//! them for an access token that is good for minutes. The token's `sub` is the client, it has no roles and no session.
//!
//! | part | is |
//! | --- | --- |
//! | `store` | make, list, revoke, another secret; what a client proves |
//! | `grant` | the request for a token, read as RFC 6749 says |
//! | `metadata` | what a library asks first (RFC 8414) |
//!
//! A client that is revoked gets no tokens any more, and those it has are refused within five seconds on every node; the same when its secret
//! is replaced. What this does not do: it gives no codes and asks nobody for consent, so it is no server for the programs of third parties.

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
