//! The ports in memory, for tests of the domain.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::domain::{Page, Paging, Secret, Unexpected, port};

use super::{
    Account, AccountFilter, AccountRepository, Email, EmailTaken, Login, PasswordHasher, Register,
    TokenIssuer, Verdict,
};
use crate::access::{User, UserId};

/// Accounts in a list.
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

    async fn credentials(&self, email: &Email) -> Result<Option<(Account, String)>, Unexpected> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .iter()
            .find(|(account, _)| account.email == *email)
            .cloned())
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

    async fn rehash(&self, id: UserId, password_hash: &str) -> Result<(), Unexpected> {
        for (_, hash) in self
            .0
            .lock()
            .unwrap()
            .iter_mut()
            .filter(|(account, _)| account.id == id)
        {
            password_hash.clone_into(hash);
        }
        Ok(())
    }
}

/// A hasher that hides nothing, counts its checks, and finds hashes that begin with `old:` outdated.
#[derive(Default)]
pub(super) struct Plain(pub(super) AtomicU32);

#[port]
impl PasswordHasher for Plain {
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected> {
        Ok(format!("new:{}", password.expose()))
    }

    async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<&str>,
    ) -> Result<Verdict, Unexpected> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let right = hash
            .and_then(|hash| hash.split_once(':'))
            .is_some_and(|(_, text)| text == password.expose());
        Ok(Verdict {
            right,
            outdated: right && hash.is_some_and(|hash| hash.starts_with("old:")),
        })
    }
}

/// Tokens that anybody could make.
pub(super) struct Ids;

#[port]
impl TokenIssuer for Ids {
    fn issue(&self, user: User) -> Result<Login, Unexpected> {
        Ok(Login {
            user,
            token: user.id.to_string().into(),
            expires_in: 900,
        })
    }
}
