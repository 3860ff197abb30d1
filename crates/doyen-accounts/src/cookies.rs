//! Cookie sessions, for pages of the same site.
//!
//! A browser sends the cookie with requests from any page. A request that changes data must
//! therefore also show that:
//!
//! 1. It comes from a page of this origin: `Sec-Fetch-Site: same-origin` or, if the browser does
//!    not send it, our `Origin`.
//! 2. The page can read responses of this origin: `X-CSRF-Token` is the token of the session.
//!
//! Other requests get a 403 `csrf_failed` and an event in the security log. Safe methods (GET,
//! HEAD) need neither, because no page of another origin can read the response.
//!
//! | part | is |
//! | --- | --- |
//! | [`CookieSessions`] | identifies callers by their cookie, with a cache of a few seconds |
//! | `cookie` | the cookie in a header |
//! | `presented` | the cookie that a login replaces |
//! | `provenance` | the origin of a request |

mod cache;
pub(crate) mod cookie;
mod identify;
mod presented;
mod provenance;

pub use identify::{CookieSessions, CsrfFailed, InvalidSession};
pub(crate) use presented::PresentedCookie;
pub(crate) use provenance::Provenance;
