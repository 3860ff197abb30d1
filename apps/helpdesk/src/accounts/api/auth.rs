//! Register.

use std::sync::Arc;

use doyen::auth::EmailSettings;
use doyen::domain::Refusal;
use doyen::domain::contract::Contract;
use doyen::prelude::*;
use doyen::web::{Parts, Response};

use super::shapes::{Registration, RegistrationView, UserView};
use super::users;
use crate::accounts::domain::{Accounts, Register, RegistrationClosed, Registrations};
use crate::settings::{HelpdeskSettings, RegistrationMode};

/// What somebody is told who registers.
pub(crate) enum Registered {
    /// Here is your account.
    Made(Created<UserView>),
    /// Look into your mail: the same, whoever has the address.
    Asked(Accepted<RegistrationView>),
}

impl Respond for Registered {
    fn respond(self, parts: &Parts) -> Result<Response, Refusal> {
        match self {
            Self::Made(made) => made.respond(parts),
            Self::Asked(asked) => asked.respond(parts),
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        Created::<UserView>::describe(contract);
        Accepted::<RegistrationView>::describe(contract);
    }
}

/// Make an account for yourself.
///
/// It is a customer's: an administrator makes agents of users. Where an address must be shown to be one's own, as in production, the answer
/// is 202 whether it has an account or not, and what there is to say comes by mail.
#[post("/register", allow = anyone)]
pub(crate) async fn register(
    accounts: Accounts,
    registrations: Registrations,
    settings: Arc<HelpdeskSettings>,
    emails: Arc<EmailSettings>,
    links: Links,
    Json(new): Json<Registration>,
) -> Result<Registered, Register> {
    if settings.registration.mode == RegistrationMode::Closed {
        return Err(RegistrationClosed.into());
    }
    let password = new.password.into();
    if emails.must_verify() {
        let done = registrations.register(new.email, new.name, password).await;
        done.map_err(Register::Unexpected)?;
        return Ok(Registered::Asked(Accepted(RegistrationView::new())));
    }
    let account = accounts.register(new.email, new.name, password).await?;
    Ok(Registered::Made(Created(users::view(account, &links))))
}
