//! Accounts: the users of the helpdesk and their roles.
//!
//! An account has an email address, a name, a password and a [`Role`](crate::access::Role). The
//! framework handles the login and finds the users in this domain. This domain does not depend on
//! tickets; they look up user names themselves.

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

/// The module with registration, the profile of the caller, and users.
pub fn module() -> Module {
    Module::new("accounts")
        .describe("Registration, the profile of the caller, and users.")
        .routes(routes![api::auth::register].at("/v1/auth"))
        .routes(routes![api::me::profile, api::me::edit_profile].at("/v1/me"))
        .routes(routes![api::users::list, api::users::show, api::users::edit].at("/v1/users"))
        .bind::<dyn AccountRepository, infrastructure::SqlAccounts>()
        .bind::<dyn Logins, infrastructure::FrameworkLogins>()
        .bind::<dyn domain::Registry, infrastructure::SqlRegistry>()
        .bind::<dyn PasswordHasher, infrastructure::Argon2>()
        .entity::<infrastructure::account::Entity>()
}
