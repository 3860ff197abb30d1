//! The rules of accounts, without a database.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use doyen::domain::{Patch, Problem, SystemClock};

use super::memory::{Ids, InMemory, Plain};
use super::*;
use crate::access::{Role, User};

struct Office {
    memory: Arc<InMemory>,
    hasher: Arc<Plain>,
    accounts: Accounts,
}

impl Office {
    fn new() -> Self {
        let (memory, hasher) = (Arc::new(InMemory::default()), Arc::new(Plain::default()));
        let accounts = Accounts::new(
            memory.clone(),
            hasher.clone(),
            Arc::new(Ids),
            Arc::new(SystemClock),
        );
        Self {
            memory,
            hasher,
            accounts,
        }
    }

    async fn register(&self, email: &str) -> Result<Account, Register> {
        self.accounts
            .register(
                email.parse().unwrap(),
                "Ann".into(),
                "open sesame".to_owned().into(),
            )
            .await
    }

    async fn log_in(&self, email: &str, password: &str) -> Result<Login, LogIn> {
        self.accounts
            .log_in(&email.parse().unwrap(), password.to_owned().into())
            .await
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, impl Problem>) -> &'static str {
    match result {
        Ok(value) => panic!("went well: {value:?}"),
        Err(problem) => problem.info().code,
    }
}

#[tokio::test]
async fn an_address_is_one_in_any_case() {
    let office = Office::new();
    let account = office.register("Ann@Example.COM").await.unwrap();
    assert_eq!(
        (account.email.as_str(), account.role),
        ("ann@example.com", Role::Customer)
    );
    assert_eq!(
        code(office.register("ann@example.com").await),
        "email_taken"
    );
    assert_eq!(
        office
            .log_in("ANN@example.com", "open sesame")
            .await
            .unwrap()
            .user,
        account.user()
    );
    assert!(office.register("ann+work@example.com").await.is_ok());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike_and_cost_alike() {
    let office = Office::new();
    office.register("ann@example.com").await.unwrap();
    assert_eq!(
        code(office.log_in("ann@example.com", "open sesam").await),
        "invalid_credentials"
    );
    assert_eq!(
        code(office.log_in("bob@example.com", "open sesame").await),
        "invalid_credentials"
    );
    assert_eq!(office.hasher.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_login_renews_an_outdated_hash() {
    let office = Office::new();
    office.register("ann@example.com").await.unwrap();
    office.memory.0.lock().unwrap()[0].1 = "old:open sesame".to_owned();
    office
        .log_in("ann@example.com", "open sesame")
        .await
        .unwrap();
    assert_eq!(office.memory.0.lock().unwrap()[0].1, "new:open sesame");
}

#[tokio::test]
async fn an_edit_needs_the_version_seen_and_nobody_changes_their_own_role() {
    let office = Office::new();
    let ann = office.register("ann@example.com").await.unwrap();
    let admin = User {
        id: office.register("root@example.com").await.unwrap().id,
        role: Role::Admin,
    };
    let role = |role| Edit {
        role: Patch::Set(role),
        ..Edit::default()
    };
    let agent = office
        .accounts
        .edit(admin, ann.id, Some(1), role(Role::Agent))
        .await
        .unwrap();
    assert_eq!((agent.role, agent.version), (Role::Agent, 2));
    assert_eq!(
        code(
            office
                .accounts
                .edit(admin, ann.id, Some(1), role(Role::Admin))
                .await
        ),
        "precondition_failed"
    );
    assert_eq!(
        office
            .accounts
            .edit(admin, ann.id, None, role(Role::Agent))
            .await
            .unwrap()
            .version,
        2
    );
    assert_eq!(
        code(
            office
                .accounts
                .edit(admin, admin.id, None, role(Role::Agent))
                .await
        ),
        "own_role"
    );
}
