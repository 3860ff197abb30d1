//! Logging in: who somebody is, proved by a password, and what they get for it.
//!
//! | part | is |
//! | --- | --- |
//! | `flow` | the steps of a login, in order |
//! | `answer` | tokens or a cookie |
//! | `password` | another password, for who knows the present one |

mod answer;
mod api;
mod flow;
mod password;
mod problems;

pub(crate) use answer::{LoggedIn, LoggedOut, TokenView};
pub(crate) use api::{public, routes};
pub use problems::{InvalidCredentials, LogIn, NotOffered, WrongPassword};
