//! Concurrent logins: a correct password is never refused because another login is being checked.

use std::sync::Arc;

use doyen::domain::{Clock, SystemClock};
use doyen_test::{Live, Setup, Subject, TestApp};
use serde_json::json;

use crate::support::people::PASSWORD;
use crate::support::{Join as _, patient};

/// Number of rounds; each is a new race.
const ROUNDS: usize = 5;

/// The helpdesk with a moving clock: a time that was read before a lock is older than one that was
/// read under it.
pub(crate) struct MovingClock(TestApp);

impl Subject for MovingClock {
    fn app() -> doyen::App {
        helpdesk::app()
    }

    fn setup() -> Setup {
        patient().replace::<dyn Clock>(Arc::new(SystemClock))
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

async fn log_in(live: &Live, email: &str, password: &str) -> u16 {
    let body = json!({"email": email, "password": password}).to_string();
    let request = format!(
        "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let response = live.exchange(request).await;
    let status = response
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok());
    status.unwrap_or_else(|| panic!("no status\n\n{response}"))
}

/// Sends these logins concurrently and returns their statuses.
async fn at_once(live: &Arc<Live>, emails: &[String], password: &'static str) -> Vec<u16> {
    let tasks = emails.iter().cloned().map(|email| {
        let live = Arc::clone(live);
        tokio::spawn(async move { log_in(&live, &email, password).await })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses
}

/// Makes the next login from this network a first login again.
async fn forget_networks(app: &TestApp) {
    app.execute("DELETE FROM auth_places", []).await;
}

#[doyen_test::test]
async fn p4_concurrent_first_logins_of_a_network_all_succeed(app: MovingClock) {
    let mut emails = Vec::new();
    for _ in 0..25 {
        emails.push(app.0.as_customer().await.email);
    }
    let live = Arc::new(app.0.serve().await);
    for round in 0..ROUNDS {
        forget_networks(&app.0).await;
        assert_eq!(
            at_once(&live, &emails, PASSWORD).await,
            [200; 25],
            "round {round}"
        );
    }
}

#[doyen_test::test]
async fn p4_concurrent_logins_of_one_account_all_succeed(app: MovingClock) {
    let emails = vec![app.0.as_customer().await.email; 20];
    let live = Arc::new(app.0.serve().await);
    for round in 0..ROUNDS {
        forget_networks(&app.0).await;
        assert_eq!(
            at_once(&live, &emails, PASSWORD).await,
            [200; 20],
            "round {round}"
        );
    }
}

#[doyen_test::test]
async fn p4_concurrent_guesses_are_limited_like_sequential_ones(app: MovingClock) {
    let emails = vec![app.0.as_customer().await.email; 100];
    forget_networks(&app.0).await;
    let live = Arc::new(app.0.serve().await);
    let statuses = at_once(&live, &emails, "a wrong password").await;
    let checked = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(checked, 6, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| matches!(status, 401 | 429)),
        "{statuses:?}"
    );
}
