//! What can go wrong with accounts, as the client is told.

use doyen::domain::{Problem, Unexpected};

/// There is no such user.
#[derive(Debug, Problem)]
#[problem(not_found, code = "user_not_found")]
pub struct AccountNotFound;

/// The account has changed since you read it. Read it again, look at the difference, and send your change with the new `ETag`.
#[derive(Debug, Problem)]
#[problem(precondition_failed, code = "precondition_failed")]
pub struct StaleAccount;

/// Somebody has an account with this e-mail address already. Log in, or use another address.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub struct EmailTaken;

/// Nobody can register by themselves here. Ask an administrator for an account.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct RegistrationClosed;

/// Nobody changes their own role or keeps themselves out: so there is always an administrator. Ask another one.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub struct OwnRole;

/// Why somebody was not registered.
#[derive(Debug, Problem)]
pub enum Register {
    /// Nobody registers here.
    #[problem(transparent)]
    Closed(RegistrationClosed),
    /// The address has an account.
    #[problem(transparent)]
    Taken(EmailTaken),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why an account is not shown.
#[derive(Debug, Problem)]
pub enum FindAccount {
    /// It is not there, or not for the caller.
    #[problem(transparent)]
    Missing(AccountNotFound),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why an account was not changed.
#[derive(Debug, Problem)]
pub enum EditAccount {
    /// It is not there, or not for the caller.
    #[problem(transparent)]
    Missing(AccountNotFound),
    /// It is not what the caller has seen.
    #[problem(transparent)]
    Stale(StaleAccount),
    /// It is the caller's own role.
    #[problem(transparent)]
    OwnRole(OwnRole),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
