//! Login with a password, and the response to it.
//!
//! | part | is |
//! | --- | --- |
//! | `flow` | the steps of a login, in order |
//! | `response` | tokens or a cookie |
//! | `password` | changes the password |

mod api;
mod flow;
mod password;
mod problems;
mod response;

pub(crate) use api::{public, routes};
pub use problems::{InvalidCredentials, LogIn, NotOffered, WrongPassword};
pub(crate) use response::{LoggedIn, LoggedOut, TokenView};
