//! Accounts: who uses the helpdesk, and what they are.
//!
//! An account has an e-mail address, a name, a password and a [`Role`](crate::access::Role). Logging in is the
//! framework's: it finds the users here. What this domain does not do: it knows nothing of tickets, which join names to ids by themselves.

mod api;
mod command;
pub mod domain;
mod infrastructure;
mod seed;

use doyen::prelude::*;

use domain::{AccountRepository, Logins, PasswordHasher};

pub(crate) use command::create_user;
pub(crate) use infrastructure::SqlUsers;
pub(crate) use seed::{PASSWORD, People, any, seed};

/// Register, your own profile, and the users.
pub fn module() -> Module {
    Module::new("accounts")
        .describe("Register, your own profile, and the users.")
        .routes(routes![api::auth::register].at("/v1/auth"))
        .routes(routes![api::me::profile, api::me::edit_profile].at("/v1/me"))
        .routes(routes![api::users::list, api::users::show, api::users::edit].at("/v1/users"))
        .bind::<dyn AccountRepository, infrastructure::SqlAccounts>()
        .bind::<dyn Logins, infrastructure::FrameworkLogins>()
        .bind::<dyn domain::Registry, infrastructure::SqlRegistry>()
        .bind::<dyn PasswordHasher, infrastructure::Argon2>()
}
