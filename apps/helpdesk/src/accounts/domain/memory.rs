//! In-memory implementations of the ports, for tests of the domain.

use std::sync::Mutex;

use doyen::domain::{Page, Paging, Secret, SecurityEvent, SecurityLog, Unexpected, port};

use super::{
    Account, AccountFilter, AccountRepository, EmailTaken, Logins, PasswordHasher, Register,
};
use crate::access::UserId;

/// An account repository in memory.
#[derive(Default)]
pub(super) struct InMemory(pub(super) Mutex<Vec<(Account, String)>>);

#[port]
impl AccountRepository for InMemory {
    async fn insert(&self, account: &Account, password_hash: &str) -> Result<(), Register> {
        let mut all = self.0.lock().unwrap();
        if all.iter().any(|(known, _)| known.email == account.email) {
            return Err(EmailTaken.into());
        }
        all.push((account.clone(), password_hash.to_owned()));
        Ok(())
    }

    async fn find(&self, id: UserId) -> Result<Option<Account>, Unexpected> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .iter()
            .find(|(account, _)| account.id == id)
            .map(|(account, _)| account.clone()))
    }

    async fn list(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Unexpected> {
        let all = self.0.lock().unwrap();
        let fits =
            |(account, _): &&(Account, String)| filter.role.is_none_or(|role| account.role == role);
        let items = all
            .iter()
            .filter(fits)
            .map(|(account, _)| account.clone())
            .collect();
        Ok(Page {
            items,
            limit: paging.limit,
            next: None,
            prev: None,
            total: None,
        })
    }

    async fn lock(&self, _: UserId) -> Result<(), Unexpected> {
        Ok(())
    }

    async fn replace(
        &self,
        version: i64,
        changed: &Account,
    ) -> Result<Option<Account>, Unexpected> {
        let mut all = self.0.lock().unwrap();
        let found = all
            .iter_mut()
            .find(|(account, _)| account.id == changed.id && account.version == version);
        Ok(found.map(|(account, _)| {
            *account = Account {
                version: version + 1,
                ..changed.clone()
            };
            account.clone()
        }))
    }
}

/// Records calls to [`Logins`] and events of the security log.
#[derive(Default)]
pub(super) struct Notes(pub(super) Mutex<Vec<String>>);

impl Notes {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

#[port]
impl Logins for Notes {
    async fn renew(&self, _: UserId) -> Result<(), Unexpected> {
        self.note("renew".to_owned());
        Ok(())
    }

    async fn end(&self, _: UserId) -> Result<(), Unexpected> {
        self.note("end".to_owned());
        Ok(())
    }
}

impl SecurityLog for Notes {
    fn record(&self, event: SecurityEvent) {
        self.note(event.name.to_owned());
    }

    fn record_on_commit(&self, event: SecurityEvent) {
        self.note(event.name.to_owned());
    }
}

/// A hasher that returns the password in plain text.
#[derive(Default)]
pub(super) struct Plain;

#[port]
impl PasswordHasher for Plain {
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected> {
        Ok(format!("new:{}", password.expose()))
    }
}
