//! Tests of the account rules, without a database.

use std::sync::Arc;

use doyen::domain::{Patch, Problem, SystemClock};

use super::memory::{InMemory, Notes, Plain};
use super::*;
use crate::access::{Role, User};

struct Fixture {
    accounts: Accounts,
    notes: Arc<Notes>,
}

impl Fixture {
    fn new() -> Self {
        let notes = Arc::new(Notes::default());
        let accounts = Accounts::new(
            Arc::new(InMemory::default()),
            Arc::new(Plain),
            notes.clone(),
            notes.clone(),
            Arc::new(SystemClock),
        );
        Self { accounts, notes }
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
}

fn code<T: std::fmt::Debug>(result: Result<T, impl Problem>) -> &'static str {
    match result {
        Ok(value) => panic!("expected a problem, got {value:?}"),
        Err(problem) => problem.info().code,
    }
}

#[tokio::test]
async fn an_address_is_one_in_any_case() {
    let fixture = Fixture::new();
    let account = fixture.register("Ann@Example.COM").await.unwrap();
    assert_eq!(
        (account.email.as_str(), account.role),
        ("ann@example.com", Role::Customer)
    );
    assert_eq!(
        code(fixture.register("ann@example.com").await),
        "email_taken"
    );
    assert!(fixture.register("ann+work@example.com").await.is_ok());
}

#[tokio::test]
async fn an_edit_needs_the_version_seen_and_nobody_changes_their_own_role() {
    let fixture = Fixture::new();
    let ann = fixture.register("ann@example.com").await.unwrap();
    let admin = User {
        id: fixture.register("root@example.com").await.unwrap().id,
        role: Role::Admin,
    };
    let role = |role| Edit {
        role: Patch::Set(role),
        ..Edit::default()
    };
    let agent = fixture
        .accounts
        .edit(admin, ann.id, Some(1), role(Role::Agent))
        .await
        .unwrap();
    assert_eq!((agent.role, agent.version), (Role::Agent, 2));
    assert_eq!(
        code(
            fixture
                .accounts
                .edit(admin, ann.id, Some(1), role(Role::Admin))
                .await
        ),
        "precondition_failed"
    );
    assert_eq!(
        fixture
            .accounts
            .edit(admin, ann.id, None, role(Role::Agent))
            .await
            .unwrap()
            .version,
        2
    );
    assert_eq!(
        code(
            fixture
                .accounts
                .edit(admin, admin.id, None, role(Role::Agent))
                .await
        ),
        "own_role"
    );
}

#[tokio::test]
async fn a_change_of_standing_reaches_those_who_are_logged_in_and_is_kept() {
    let fixture = Fixture::new();
    let ann = fixture.register("ann@example.com").await.unwrap();
    let admin = User {
        id: fixture.register("root@example.com").await.unwrap().id,
        role: Role::Admin,
    };
    let edit = async |edit: Edit| {
        fixture
            .accounts
            .edit(admin, ann.id, None, edit)
            .await
            .unwrap()
    };
    edit(Edit {
        name: Patch::Set("Anna".into()),
        ..Edit::default()
    })
    .await;
    assert!(fixture.notes.0.lock().unwrap().is_empty());
    edit(Edit {
        role: Patch::Set(Role::Agent),
        ..Edit::default()
    })
    .await;
    let out = edit(Edit {
        disabled: Patch::Set(true),
        ..Edit::default()
    })
    .await;
    assert!(out.disabled_at.is_some());
    let back = edit(Edit {
        disabled: Patch::Set(false),
        ..Edit::default()
    })
    .await;
    assert_eq!(back.disabled_at, None);
    assert_eq!(
        *fixture.notes.0.lock().unwrap(),
        [
            "role.changed",
            "renew",
            "account.disabled",
            "end",
            "account.enabled"
        ]
    );
    let own = Edit {
        disabled: Patch::Set(true),
        ..Edit::default()
    };
    assert_eq!(
        code(fixture.accounts.edit(admin, admin.id, None, own).await),
        "own_role"
    );
}
