//! Accounts: who uses the helpdesk, how they log in, and what they are.
//!
//! An account has an e-mail address, a name, a password and a [`Role`](crate::access::Role). A login gives an access token with the role's
//! scopes. What this domain does not do: it knows nothing of tickets, which join names to ids by themselves.

mod api;
mod command;
pub mod domain;
mod infrastructure;
mod seed;

use doyen::prelude::*;

use domain::{AccountRepository, PasswordHasher, TokenIssuer};

pub(crate) use command::create_user;
pub(crate) use infrastructure::SqlUsers;
pub(crate) use seed::{PASSWORD, People, any, seed};

/// Log in, your own profile, and the users.
pub fn module() -> Module {
    Module::new("accounts")
        .describe("Register, log in, your own profile, and the users.")
        .routes(routes![api::auth::register, api::auth::login].at("/v1/auth"))
        .routes(routes![api::me::profile, api::me::edit_profile].at("/v1/me"))
        .routes(routes![api::users::list, api::users::show, api::users::edit].at("/v1/users"))
        .bind::<dyn AccountRepository, infrastructure::SqlAccounts>()
        .bind::<dyn PasswordHasher, infrastructure::Argon2>()
        .bind::<dyn TokenIssuer, infrastructure::SignedTokens>()
}
