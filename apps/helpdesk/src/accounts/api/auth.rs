//! Registration.

use std::sync::Arc;

use doyen::auth::EmailSettings;
use doyen::domain::Refusal;
use doyen::prelude::*;
use doyen::schema::contract::Contract;
use doyen::web::{Parts, Response};

use super::shapes::{Registration, RegistrationView, UserView};
use super::users;
use crate::accounts::domain::{Accounts, Register, RegistrationClosed, Registrations};
use crate::settings::{HelpdeskSettings, RegistrationMode};

/// The two successful responses to a registration.
pub(crate) enum Registered {
    /// The account was created.
    Made(Created<UserView>),
    /// Instructions were sent by email. The response is the same if the address is taken.
    Asked(Accepted<RegistrationView>),
}

impl IntoResponse for Registered {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        match self {
            Self::Made(made) => made.into_response(parts),
            Self::Asked(asked) => asked.into_response(parts),
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        Created::<UserView>::describe(contract);
        Accepted::<RegistrationView>::describe(contract);
    }
}

/// Register an account
///
/// The new account has the role `customer`; an administrator can change it. If email verification
/// is required, as in production, the response is 202 whether or not the address already has an
/// account, and further instructions are sent by email.
#[post("/register", allow = anyone, idempotent)]
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
