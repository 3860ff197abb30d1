//! Operations on accounts.

use std::sync::Arc;

use doyen::domain::{
    Clock, Inject, Page, Paging, Role as _, Secret, SecurityEvent, SecurityLog, Unexpected,
    security,
};

use super::{
    Account, AccountFilter, AccountNotFound, AccountRepository, Edit, EditAccount, Email,
    FindAccount, Logins, OwnRole, PasswordHasher, Register, StaleAccount,
};
use crate::access::{Role, User, UserId};

/// Operations on accounts, for handlers.
#[derive(Clone, Inject)]
pub struct Accounts {
    repository: Arc<dyn AccountRepository>,
    passwords: Arc<dyn PasswordHasher>,
    logins: Arc<dyn Logins>,
    log: Arc<dyn SecurityLog>,
    clock: Arc<dyn Clock>,
}

impl Accounts {
    /// Creates the service from its dependencies, without a container.
    pub fn new(
        repository: Arc<dyn AccountRepository>,
        passwords: Arc<dyn PasswordHasher>,
        logins: Arc<dyn Logins>,
        log: Arc<dyn SecurityLog>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            repository,
            passwords,
            logins,
            log,
            clock,
        }
    }

    /// Creates an account with the role `customer`.
    pub async fn register(
        &self,
        email: Email,
        name: String,
        password: Secret<String>,
    ) -> Result<Account, Register> {
        self.create(email, name, Role::Customer, password).await
    }

    /// Creates an account with any role, for the command line.
    pub async fn create(
        &self,
        email: Email,
        name: String,
        role: Role,
        password: Secret<String>,
    ) -> Result<Account, Register> {
        // Hash first: it is slow, and the insert holds a transaction.
        let hash = self.passwords.hash(password).await?;
        let account = Account::new(email, name, role, self.clock.now());
        self.repository.insert(&account, &hash).await?;
        Ok(account)
    }

    /// Returns an account.
    pub async fn find(&self, id: UserId) -> Result<Account, FindAccount> {
        Ok(self.repository.find(id).await?.ok_or(AccountNotFound)?)
    }

    /// Returns a page of accounts, newest first.
    pub async fn list(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Unexpected> {
        self.repository.list(filter, paging).await
    }

    /// Changes an account if it still has the version `seen`; `None` matches any version.
    ///
    /// An edit that changes nothing keeps the version. A new role or a disabled account takes
    /// effect immediately, even for logged-in users.
    pub async fn edit(
        &self,
        me: User,
        id: UserId,
        seen: Option<i64>,
        edit: Edit,
    ) -> Result<Account, EditAccount> {
        if seen.is_none() {
            // `If-Match: *` accepts any version, so a concurrent change must not fail this one.
            self.repository.lock(id).await?;
        }
        let read = self.repository.find(id).await?.ok_or(AccountNotFound)?;
        if seen.is_some_and(|seen| seen != read.version) {
            return Err(StaleAccount.into());
        }
        let mut changed = read.clone();
        let now = self.clock.now();
        changed.edit(edit, now);
        if changed == read {
            return Ok(read);
        }
        let standing = |account: &Account| (account.role, account.disabled_at);
        if standing(&changed) != standing(&read) && me.id == id {
            return Err(OwnRole.into());
        }
        changed.updated_at = now;
        let kept = self
            .repository
            .replace(read.version, &changed)
            .await?
            .ok_or(StaleAccount)?;
        self.tell(me, &read, &kept).await?;
        Ok(kept)
    }

    /// Applies a change of role or of the disabled state to sessions, and records it in the
    /// security log.
    async fn tell(&self, me: User, before: &Account, now: &Account) -> Result<(), Unexpected> {
        let event = |name| {
            SecurityEvent::new(name)
                .subject(&now.id.to_string())
                .by(&me.id.to_string())
        };
        if before.role != now.role {
            self.log.record_on_commit(
                event(security::ROLE_CHANGED)
                    .detail("from", before.role.name())
                    .detail("to", now.role.name()),
            );
            self.logins.renew(now.id).await?;
        }
        match (before.disabled_at, now.disabled_at) {
            (None, Some(_)) => {
                self.log.record_on_commit(event(security::ACCOUNT_DISABLED));
                self.logins.end(now.id).await?;
            }
            (Some(_), None) => self.log.record_on_commit(event(security::ACCOUNT_ENABLED)),
            _ => {}
        }
        Ok(())
    }
}
