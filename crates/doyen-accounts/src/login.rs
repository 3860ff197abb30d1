//! Login with a password, and the response to it.
//!
//! | part | is |
//! | --- | --- |
//! | `flow` | the steps of a login, in order |
//! | `engine` | the same for routes of an application |
//! | `response` | tokens or a cookie |
//! | `password` | changes the password |

mod api;
mod engine;
mod flow;
mod password;
mod problems;
mod response;

pub(crate) use api::{public, routes};
pub use engine::{PasswordLogin, TokenPair};
pub use problems::{InvalidCredentials, LogIn, NotOffered, WrongPassword};
pub(crate) use response::{LoggedIn, LoggedOut, TokenView};
