//! Register and log in.

use std::sync::Arc;

use doyen::prelude::*;

use super::shapes::{Credentials, Registration, TokenView, UserView};
use super::users;
use crate::accounts::domain::{Accounts, LogIn, Register, RegistrationClosed};
use crate::settings::{HelpdeskSettings, RegistrationMode};

/// Make an account for yourself.
///
/// It is a customer's: an administrator makes agents of users.
#[post("/register", allow = anyone)]
pub(crate) async fn register(
    accounts: Accounts,
    settings: Arc<HelpdeskSettings>,
    links: Links,
    Json(new): Json<Registration>,
) -> Result<Created<UserView>, Register> {
    if settings.registration.mode == RegistrationMode::Closed {
        return Err(RegistrationClosed.into());
    }
    let account = accounts
        .register(new.email, new.name, new.password.into())
        .await?;
    Ok(Created(users::view(account, &links)))
}

/// Log in with e-mail address and password.
///
/// A wrong password and an unknown address are told alike.
#[post("/login", allow = anyone)]
pub(crate) async fn login(
    accounts: Accounts,
    Json(given): Json<Credentials>,
) -> Result<NoStore<TokenView>, LogIn> {
    Ok(NoStore(
        accounts
            .log_in(&given.email, given.password.into())
            .await?
            .into(),
    ))
}
