//! What an account is, and who may change what.
//!
//! | part | holds |
//! | --- | --- |
//! | `account` | the account and its e-mail address |
//! | `problems` | what can go wrong, as the client is told |
//! | `ports` | what the domain needs: a repository, a hasher of passwords |
//! | `registration` | registering where an address must be shown to be one's own |
//! | `service` | everything one can do with accounts |
//!
//! Nothing here knows the web or a database.

mod account;
#[cfg(test)]
mod memory;
mod ports;
mod problems;
mod registration;
mod service;

pub use account::{Account, AccountFilter, Edit, Email, NotAnEmail};
pub use ports::{AccountRepository, Logins, PasswordHasher};
pub use problems::{
    AccountNotFound, EditAccount, EmailTaken, FindAccount, OwnRole, Register, RegistrationClosed,
    StaleAccount,
};
pub use registration::{Holder, Registrations, Registry};
pub use service::Accounts;

#[cfg(test)]
mod tests;
