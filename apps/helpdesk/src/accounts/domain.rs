//! What an account is, how somebody logs in, and who may change what.
//!
//! | part | holds |
//! | --- | --- |
//! | `account` | the account and its e-mail address |
//! | `problems` | what can go wrong, as the client is told |
//! | `ports` | what the domain needs: a repository, a hasher of passwords, an issuer of tokens |
//! | `service` | everything one can do with accounts |
//!
//! Nothing here knows the web or a database.

mod account;
#[cfg(test)]
mod memory;
mod ports;
mod problems;
mod service;

pub use account::{Account, AccountFilter, Edit, Email, NotAnEmail};
pub use ports::{AccountRepository, PasswordHasher, TokenIssuer, Verdict};
pub use problems::{
    AccountNotFound, EditAccount, EmailTaken, FindAccount, InvalidCredentials, LogIn, OwnRole,
    Register, RegistrationClosed, StaleAccount,
};
pub use service::{Accounts, Login};

#[cfg(test)]
mod tests;
