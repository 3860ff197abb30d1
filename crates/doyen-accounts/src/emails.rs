//! Mails about an account: verify an address, reset a password, change an address.
//!
//! | part | is |
//! | --- | --- |
//! | `templates` | the texts of the mails and their links |
//! | `mailbox` | sends mails with single-use tokens |
//! | `background` | work after the response |
//! | `verify`, `reset`, `change` | the routes |
//!
//! **No response reveals who has an account.** A request for a mail gets a 202 at once; whether
//! there is a mail to send is decided after the response. The address in a link comes from the
//! settings, never from the request.
//!
//! Each kind of mail is sent to an account at most once a minute; a notice about a registration
//! attempt at most once an hour.

mod background;
mod change;
mod mailbox;
mod reset;
mod settings;
mod templates;
mod verify;

use doyen_core::{Problem, Restricted};
use doyen_macros::routes;
use doyen_web::Routes;

use crate::session_user::without_api_keys;

pub use mailbox::Mailbox;
pub(crate) use reset::weak;
pub use settings::EmailSettings;
pub(crate) use templates::OwnTexts;
pub use templates::{AccountMail, AccountMailKind, MailText, MailTexts};

/// Returns the public routes.
pub(crate) fn public() -> Routes {
    routes![
        verify::verify,
        verify::resend,
        reset::forgot,
        reset::reset,
        change::confirm
    ]
}

/// Returns the routes for the caller's own account, with this access policy.
pub(crate) fn routes(own: Restricted) -> Routes {
    routes![change::ask].allow(own).document(without_api_keys)
}

/// The password is correct, but the email address is not verified. Follow the link in the mail, or
/// request a new mail.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct EmailNotVerified;

/// The link is invalid: it is unknown, used, expired, or replaced by a newer one. Request a new
/// mail.
#[derive(Debug, Problem)]
#[problem(malformed)]
pub struct InvalidLink;
