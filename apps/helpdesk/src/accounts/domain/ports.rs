//! Dependencies of the domain.

use doyen::domain::{Page, Paging, Secret, Unexpected, port};

use super::{Account, AccountFilter, Register};
use crate::access::UserId;

/// Stores accounts.
#[port]
pub trait AccountRepository {
    /// Stores a new account with the hash of its password.
    ///
    /// # Errors
    ///
    /// Returns [`EmailTaken`](super::EmailTaken) if the address already has an account.
    async fn insert(&self, account: &Account, password_hash: &str) -> Result<(), Register>;

    /// Returns the account with this id.
    async fn find(&self, id: UserId) -> Result<Option<Account>, Unexpected>;

    /// Returns a page of matching accounts, newest first.
    async fn list(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Unexpected>;

    /// Waits for concurrent changes of this account and holds further ones back until this unit of
    /// work ends.
    async fn lock(&self, id: UserId) -> Result<(), Unexpected>;

    /// Replaces the account if it still has this version, and returns it with its new version.
    /// Returns `None` after a concurrent change.
    async fn replace(&self, version: i64, changed: &Account)
    -> Result<Option<Account>, Unexpected>;
}

/// Sessions of logged-in users.
#[port]
pub trait Logins {
    /// Invalidates the tokens of a user whose rights have changed. Clients get new ones by
    /// refreshing.
    async fn renew(&self, id: UserId) -> Result<(), Unexpected>;

    /// Ends all sessions of a user.
    async fn end(&self, id: UserId) -> Result<(), Unexpected>;
}

/// Hashes passwords.
#[port]
pub trait PasswordHasher {
    /// Returns the hash to store.
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected>;
}
