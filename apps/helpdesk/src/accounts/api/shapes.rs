//! Request and response types.

use doyen::auth::{NewPassword, WeakPassword};
use doyen::prelude::*;
use doyen::schema::rule::Broken;

use crate::access::{Role, UserId};
use crate::accounts::domain::{Account, Edit, Email};

/// A user of the helpdesk.
#[derive(Output)]
#[output(name = "User", from = (Account, AccountLinks), etag = version, location = place)]
pub(crate) struct UserView {
    /// User id.
    id: UserId,
    /// Email address, used to log in.
    #[output(example = "ada@example.com")]
    email: Email,
    /// Name of the user.
    #[output(example = "Ada Lovelace")]
    name: String,
    /// Role.
    role: Role,
    /// True if the account is disabled.
    #[output(value = account.disabled_at.is_some())]
    disabled: bool,
    /// Creation time.
    created_at: Timestamp,
    /// Time of the last change.
    updated_at: Timestamp,
    /// Version number, incremented by each change. Also in the `ETag`.
    version: i64,
    /// Links to the resource and to the actions available to the caller.
    #[output(rename = "_links", value = account_links.map)]
    links: LinkMap,
    #[output(skip, value = account_links.path)]
    place: String,
}

/// The path of an account, and the links available to the caller.
pub(super) struct AccountLinks {
    pub(super) path: String,
    pub(super) map: LinkMap,
}

/// Response to a registration that requires email verification.
#[derive(Output)]
#[output(name = "RegistrationAccepted")]
pub(crate) struct RegistrationView {
    /// Description of the next step.
    detail: &'static str,
}

impl RegistrationView {
    /// Creates the response, which is the same for every request.
    pub(super) const fn new() -> Self {
        Self {
            detail: "Check your email for further instructions.",
        }
    }
}

/// Details of the account to register.
#[derive(Input)]
#[validate(custom = impersonal)]
pub(crate) struct Registration {
    /// Email address, used to log in.
    #[input(example = "ada@example.com")]
    pub(super) email: Email,
    /// Password. Common passwords are rejected, and so are passwords made from the email address,
    /// the name of the user, or the name of the service.
    #[validate(length(min = 8, max = 128), custom = uncommon)]
    #[input(example = "correct horse battery staple")]
    pub(super) password: String,
    /// Name of the user.
    #[validate(length(min = 1, max = 100), display_name)]
    #[input(example = "Ada Lovelace")]
    pub(super) name: String,
}

/// Rejects passwords made from the address, the name, or the name of the service.
fn impersonal(new: &Registration) -> Result<(), Broken> {
    let known = [new.email.as_str(), &new.name, "helpdesk"];
    match NewPassword::parse_excluding(&new.password, &known) {
        Err(weak @ WeakPassword::Personal) => {
            Err(Broken::new(weak.code(), weak.to_string()).field("password"))
        }
        _ => Ok(()),
    }
}

/// Rejects common passwords.
fn uncommon(password: &str) -> Result<(), Broken> {
    match password.parse::<NewPassword>() {
        // The `length` rule of the field already reports this error.
        Err(weak) if weak.code() != "length" => Err(Broken::new(weak.code(), weak.to_string())),
        _ => Ok(()),
    }
}

/// Changes to the profile of the caller. Omitted fields keep their values.
#[derive(Input)]
#[input(into = Edit, set(role = Patch::default(), disabled = Patch::default()))]
pub(crate) struct ProfileChanges {
    /// Name of the user.
    #[validate(length(min = 1, max = 100), display_name)]
    name: Patch<String>,
}

/// Changes to a user. Omitted fields keep their values.
#[derive(Input)]
#[input(into = Edit)]
pub(crate) struct UserChanges {
    /// Name of the user.
    #[validate(length(min = 1, max = 100), display_name)]
    name: Patch<String>,
    /// Role. After a change, existing access tokens are rejected within seconds; clients must
    /// refresh them.
    role: Patch<Role>,
    /// True to disable the account. This ends all sessions of the user, and their API keys are
    /// rejected.
    disabled: Patch<bool>,
}
