//! Sessions carried by a cookie, for pages of the same site.
//!
//! A browser sends a cookie along whoever asked for the request, so a cookie alone proves little. What a request that changes something must
//! show besides:
//!
//! 1. It comes from a page of this origin: `Sec-Fetch-Site: same-origin`, or, where the browser does not say, an `Origin` that is ours.
//! 2. The page could read what this origin told it: `X-CSRF-Token` is the token of the session.
//!
//! Everything else is 403 `csrf_failed`, and an event in the security log. A request that changes nothing (GET, HEAD) needs neither, since
//! no page of another origin can read its answer.
//!
//! | part | is |
//! | --- | --- |
//! | [`CookieSessions`] | a cookie to its caller, with a memory of a few seconds |
//! | `cookie` | the cookie as it stands in a header field |
//! | `provenance` | where a request comes from |

pub(crate) mod cookie;
mod identify;
mod known;
mod provenance;

pub use identify::{CookieSessions, CsrfFailed, InvalidSession};
pub(crate) use provenance::Provenance;
