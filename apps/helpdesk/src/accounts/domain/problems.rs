//! Problems of accounts that clients receive.

use doyen::domain::{Problem, Unexpected};

/// The user does not exist. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "user_not_found")]
pub struct AccountNotFound;

/// The account no longer exists. Log in with another account.
#[derive(Debug, Problem)]
#[problem(not_found, code = "user_not_found")]
pub struct OwnAccountNotFound;

/// The account has changed since it was read. Read it again, and repeat the change with the new
/// `ETag`.
#[derive(Debug, Problem)]
#[problem(precondition_failed, code = "precondition_failed")]
pub struct StaleAccount;

/// The email address already has an account. Log in, or use another address.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub struct EmailTaken;

/// Registration is closed. Ask an administrator for an account.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct RegistrationClosed;

/// Administrators cannot change their own role or disable their own account, so that one always
/// remains. Ask another administrator to make the change.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub struct OwnRole;

/// Errors when registering an account.
#[derive(Debug, Problem)]
pub enum Register {
    /// Registration is closed.
    #[problem(transparent)]
    Closed(RegistrationClosed),
    /// The address already has an account.
    #[problem(transparent)]
    Taken(EmailTaken),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when reading an account.
#[derive(Debug, Problem)]
pub enum FindAccount {
    /// The account does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(AccountNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when changing an account.
#[derive(Debug, Problem)]
pub enum EditAccount {
    /// The account does not exist, or the caller cannot see it.
    #[problem(transparent)]
    Missing(AccountNotFound),
    /// The account has changed since the caller read it.
    #[problem(transparent)]
    Stale(StaleAccount),
    /// The caller cannot change their own role or disable their own account.
    #[problem(transparent)]
    OwnRole(OwnRole),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when callers read their own account.
#[derive(Debug, Problem)]
pub enum FindOwnAccount {
    /// The account was deleted.
    #[problem(transparent)]
    Missing(OwnAccountNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when callers change their own account.
#[derive(Debug, Problem)]
pub enum EditOwnAccount {
    /// The account was deleted.
    #[problem(transparent)]
    Missing(OwnAccountNotFound),
    /// The account has changed since the caller read it.
    #[problem(transparent)]
    Stale(StaleAccount),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<FindAccount> for FindOwnAccount {
    fn from(error: FindAccount) -> Self {
        match error {
            FindAccount::Missing(_) => OwnAccountNotFound.into(),
            FindAccount::Unexpected(error) => error.into(),
        }
    }
}

impl From<EditAccount> for EditOwnAccount {
    fn from(error: EditAccount) -> Self {
        match error {
            EditAccount::Missing(_) => OwnAccountNotFound.into(),
            EditAccount::Stale(stale) => stale.into(),
            // A profile has neither a role nor the disabled state.
            EditAccount::OwnRole(_) => Unexpected::new("a profile changed a role").into(),
            EditAccount::Unexpected(error) => error.into(),
        }
    }
}
