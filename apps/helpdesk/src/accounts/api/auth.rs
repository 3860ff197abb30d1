//! Register.

use std::sync::Arc;

use doyen::prelude::*;

use super::shapes::{Registration, UserView};
use super::users;
use crate::accounts::domain::{Accounts, Register, RegistrationClosed};
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
