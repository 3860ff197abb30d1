//! Users: registration, login, the current user, and profiles that users follow.

mod api;
pub mod domain;
mod infrastructure;

use doyen::prelude::*;

use domain::{PasswordHasher, UserRepository};
use infrastructure::{Argon2, SqlUsers};

/// The module with users.
pub(super) fn module() -> Module {
    Module::new("users")
        .routes(api::routes())
        .bind::<dyn UserRepository, SqlUsers>()
        .bind::<dyn PasswordHasher, Argon2>()
}
