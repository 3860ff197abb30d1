//! Mails about an account: is this address yours, here is a link for a new password, somebody changed your address.
//!
//! | part | is |
//! | --- | --- |
//! | `letters` | what the mails say, and the links in them |
//! | `mailbox` | who gets one, with a token that is good once |
//! | `graph` | reading beside a request, and working after its answer |
//! | `verify`, `reset`, `change` | the routes |
//!
//! **No answer tells who has an account.** Whoever asks for a mail gets 202 at once, and whether there is one to send is found out after the
//! answer. The address of a link comes from the settings, never from the request.
//!
//! Each kind of mail is sent to one account once a minute at most; a notice that somebody knocked, once an hour.

mod change;
mod graph;
mod letters;
mod mailbox;
mod reset;
mod settings;
mod verify;

use doyen_core::{Problem, Restricted};
use doyen_macros::routes;
use doyen_web::Routes;

pub use mailbox::Mailbox;
pub(crate) use reset::weak;
pub use settings::EmailSettings;

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
    routes![change::ask].allow(own)
}

/// The password is correct, but the e-mail address is not verified. Follow the link in the mail, or
/// request a new mail.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct EmailNotVerified;

/// The link is invalid: it is unknown, used, expired, or replaced by a newer one. Request a new
/// mail.
#[derive(Debug, Problem)]
#[problem(malformed)]
pub struct InvalidLink;
