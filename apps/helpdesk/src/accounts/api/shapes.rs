//! The shapes on the wire.

use doyen::auth::{NewPassword, WeakPassword};
use doyen::domain::rule::Broken;
use doyen::prelude::*;

use crate::access::{Role, UserId};
use crate::accounts::domain::{Account, Email};

/// A user of the helpdesk.
#[derive(Output)]
#[output(name = "User", etag = version, location = place)]
pub(crate) struct UserView {
    /// Their id.
    id: UserId,
    /// What they log in with.
    #[output(example = "ada@example.com")]
    email: Email,
    /// What they are called.
    #[output(example = "Ada Lovelace")]
    name: String,
    /// What they are here.
    role: Role,
    /// Whether they are kept out.
    disabled: bool,
    /// When they came.
    created_at: Timestamp,
    /// When this last changed.
    updated_at: Timestamp,
    /// Counts up with each change; also in the `ETag`.
    version: i64,
    /// What you may do from here.
    #[output(rename = "_links")]
    links: LinkMap,
    #[output(skip)]
    place: String,
}

impl UserView {
    /// The account, what the caller may do from there, and where it lives.
    pub(super) fn new(account: Account, links: LinkMap, place: Option<String>) -> Self {
        let Account {
            id,
            email,
            name,
            role,
            disabled_at,
            created_at,
            updated_at,
            version,
        } = account;
        Self {
            id,
            email,
            name,
            role,
            disabled: disabled_at.is_some(),
            created_at,
            updated_at,
            version,
            links,
            place: place.unwrap_or_default(),
        }
    }
}

/// What everybody is told who registers where an address must be shown to be one's own.
#[derive(Output)]
#[output(name = "RegistrationAccepted")]
pub(crate) struct RegistrationView {
    /// What happens now.
    detail: &'static str,
}

impl RegistrationView {
    /// The one answer there is.
    pub(super) const fn new() -> Self {
        Self {
            detail: "Look into your mail: it says how to go on.",
        }
    }
}

/// Who wants an account.
#[derive(Input)]
#[validate(custom = impersonal)]
pub(crate) struct Registration {
    /// What you log in with.
    #[input(example = "ada@example.com")]
    pub(super) email: Email,
    /// Anything that others do not try first.
    #[validate(length(min = 8, max = 128), custom = uncommon)]
    #[input(example = "correct horse battery staple")]
    pub(super) password: String,
    /// What you are called.
    #[validate(length(min = 1, max = 100))]
    #[input(example = "Ada Lovelace")]
    pub(super) name: String,
}

/// Refuses passwords made of the address, the name, or the name of the service.
fn impersonal(new: &Registration) -> Result<(), Broken> {
    let known = [new.email.as_str(), &new.name, "helpdesk"];
    match NewPassword::of_somebody(&new.password, &known) {
        Err(weak @ WeakPassword::Personal) => {
            Err(Broken::new(weak.code(), weak.to_string()).field("password"))
        }
        _ => Ok(()),
    }
}

/// Refuses passwords that are tried first.
fn uncommon(password: &str) -> Result<(), Broken> {
    match password.parse::<NewPassword>() {
        // The length is a rule of its own, which says so already.
        Err(weak) if weak.code() != "length" => Err(Broken::new(weak.code(), weak.to_string())),
        _ => Ok(()),
    }
}

/// Changes to your own profile.
#[derive(Input)]
pub(crate) struct ProfileChanges {
    /// What you are called.
    #[validate(length(min = 1, max = 100))]
    pub(super) name: Patch<String>,
}

/// Changes to a user.
#[derive(Input)]
pub(crate) struct UserChanges {
    /// What they are called.
    #[validate(length(min = 1, max = 100))]
    pub(super) name: Patch<String>,
    /// What they are here. Tokens from before are refused within seconds; the client refreshes and gets one that fits.
    pub(super) role: Patch<Role>,
    /// Whether they are kept out. They are logged out everywhere, and their keys are refused.
    pub(super) disabled: Patch<bool>,
}
