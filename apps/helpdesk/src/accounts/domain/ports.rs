//! What the domain needs from outside.

use doyen::domain::{Page, Paging, Secret, Unexpected, port};

use super::{Account, AccountFilter, Register};
use crate::access::UserId;

/// Where accounts are kept.
#[port]
pub trait AccountRepository {
    /// Keeps a new account, with the hash of its password.
    ///
    /// # Errors
    ///
    /// [`EmailTaken`](super::EmailTaken) when the address has one.
    async fn insert(&self, account: &Account, password_hash: &str) -> Result<(), Register>;

    /// The account of this id.
    async fn find(&self, id: UserId) -> Result<Option<Account>, Unexpected>;

    /// A page of those that fit, the newest first.
    async fn list(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Unexpected>;

    /// Replaces the account of this version by the changed one; gives it with its new version. `None` when another change came between.
    async fn replace(&self, version: i64, changed: &Account)
    -> Result<Option<Account>, Unexpected>;
}

/// Those who are logged in.
#[port]
pub trait Logins {
    /// What this user may do has changed: the tokens they have are refused, and their clients get new ones.
    async fn renew(&self, id: UserId) -> Result<(), Unexpected>;

    /// This user is logged out everywhere.
    async fn end(&self, id: UserId) -> Result<(), Unexpected>;
}

/// Hashes passwords.
#[port]
pub trait PasswordHasher {
    /// The hash to keep.
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected>;
}
