//! What the domain needs from outside.

use doyen::domain::{Page, Paging, Secret, Unexpected, port};

use super::{Account, AccountFilter, Email, Login, Register};
use crate::access::{User, UserId};

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

    /// The account of this address and the hash of its password. It is read beside the unit of work: comparing a password takes long, and
    /// nothing is held meanwhile.
    async fn credentials(&self, email: &Email) -> Result<Option<(Account, String)>, Unexpected>;

    /// A page of those that fit, the newest first.
    async fn list(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Unexpected>;

    /// Replaces the account of this version by the changed one; gives it with its new version. `None` when another change came between.
    async fn replace(&self, version: i64, changed: &Account)
    -> Result<Option<Account>, Unexpected>;

    /// Keeps another hash of the same password.
    async fn rehash(&self, id: UserId, password_hash: &str) -> Result<(), Unexpected>;
}

/// Hashes and checks passwords.
#[port]
pub trait PasswordHasher {
    /// The hash to keep.
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected>;

    /// Is it the password of this hash? `None` stands for a user that does not exist: it takes as long and says no.
    async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<&str>,
    ) -> Result<Verdict, Unexpected>;
}

/// What came out of a check of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is the right one.
    pub right: bool,
    /// It is, and its hash is of an older kind.
    pub outdated: bool,
}

/// Makes access tokens.
#[port]
pub trait TokenIssuer {
    /// A token for this user.
    fn issue(&self, user: User) -> Result<Login, Unexpected>;
}
