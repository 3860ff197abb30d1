//! The account and the rules for changing it.
//!
//! | module | contents |
//! | --- | --- |
//! | `account` | the account and its email address |
//! | `problems` | problems that clients receive |
//! | `ports` | dependencies of the domain: a repository, logins, a password hasher |
//! | `registration` | registration with email verification |
//! | `service` | operations on accounts |
//!
//! The domain does not depend on HTTP or on a database.

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
    AccountNotFound, EditAccount, EditOwnAccount, EmailTaken, FindAccount, FindOwnAccount,
    OwnAccountNotFound, OwnRole, Register, RegistrationClosed, StaleAccount,
};
pub use registration::{Holder, Registrations, Registry};
pub use service::Accounts;

#[cfg(test)]
mod tests;
