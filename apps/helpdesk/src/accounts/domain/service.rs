//! Everything one can do with accounts.

use std::sync::Arc;

use doyen::domain::{Clock, Inject, Page, Paging, Secret, Unexpected};

use super::{
    Account, AccountFilter, AccountNotFound, AccountRepository, Edit, EditAccount, Email,
    FindAccount, InvalidCredentials, LogIn, OwnRole, PasswordHasher, Register, StaleAccount,
    TokenIssuer,
};
use crate::access::{Role, User, UserId};

/// Accounts, as handlers use them.
#[derive(Clone, Inject)]
pub struct Accounts {
    repository: Arc<dyn AccountRepository>,
    passwords: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn TokenIssuer>,
    clock: Arc<dyn Clock>,
}

/// What a login gives.
#[derive(Clone, Debug)]
pub struct Login {
    /// As whom.
    pub user: User,
    /// The access token.
    pub token: Secret<String>,
    /// Seconds until it expires.
    pub expires_in: u64,
}

impl Accounts {
    /// With these parts: what a container does, by hand.
    pub fn new(
        repository: Arc<dyn AccountRepository>,
        passwords: Arc<dyn PasswordHasher>,
        tokens: Arc<dyn TokenIssuer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            repository,
            passwords,
            tokens,
            clock,
        }
    }

    /// Makes an account for a customer.
    pub async fn register(
        &self,
        email: Email,
        name: String,
        password: Secret<String>,
    ) -> Result<Account, Register> {
        self.create(email, name, Role::Customer, password).await
    }

    /// Makes an account of any role: for the command line.
    pub async fn create(
        &self,
        email: Email,
        name: String,
        role: Role,
        password: Secret<String>,
    ) -> Result<Account, Register> {
        // First the slow part, then the one that holds a transaction.
        let hash = self.passwords.hash(password).await?;
        let account = Account::new(email, name, role, self.clock.now());
        self.repository.insert(&account, &hash).await?;
        Ok(account)
    }

    /// Checks a password and gives a token. An unknown address takes as long as a wrong password, and is told the same.
    pub async fn log_in(&self, email: &Email, password: Secret<String>) -> Result<Login, LogIn> {
        let known = self.repository.credentials(email).await?;
        let hash = known.as_ref().map(|(_, hash)| hash.as_str());
        let verdict = self.passwords.verify(password.clone(), hash).await?;
        let (Some((account, _)), true) = (known, verdict.right) else {
            return Err(InvalidCredentials.into());
        };
        if verdict.outdated {
            let hash = self.passwords.hash(password).await?;
            self.repository.rehash(account.id, &hash).await?;
        }
        Ok(self.tokens.issue(account.user())?)
    }

    /// One account.
    pub async fn find(&self, id: UserId) -> Result<Account, FindAccount> {
        Ok(self.repository.find(id).await?.ok_or(AccountNotFound)?)
    }

    /// A page of accounts, the newest first.
    pub async fn list(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Unexpected> {
        self.repository.list(filter, paging).await
    }

    /// Changes an account, if it still has the version that the caller has seen; `None` fits any version.
    ///
    /// What changes nothing is no change: the version stays.
    pub async fn edit(
        &self,
        me: User,
        id: UserId,
        seen: Option<i64>,
        edit: Edit,
    ) -> Result<Account, EditAccount> {
        let read = self.repository.find(id).await?.ok_or(AccountNotFound)?;
        if seen.is_some_and(|seen| seen != read.version) {
            return Err(StaleAccount.into());
        }
        let mut changed = read.clone();
        changed.edit(edit);
        if changed == read {
            return Ok(read);
        }
        if changed.role != read.role && me.id == id {
            return Err(OwnRole.into());
        }
        changed.updated_at = self.clock.now();
        Ok(self
            .repository
            .replace(read.version, &changed)
            .await?
            .ok_or(StaleAccount)?)
    }
}
