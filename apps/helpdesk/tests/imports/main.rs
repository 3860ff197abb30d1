//! The import of tickets in the background.

#![allow(
    dead_code,
    unused_imports,
    reason = "the support of the suite is shared"
)]

#[path = "../suite/support/mod.rs"]
mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Helpdesk, Join as _, Person};

/// A wait that must end long before.
const HANG: Duration = Duration::from_secs(60);

fn tickets(count: usize) -> Value {
    let ticket = |n| json!({"subject": format!("imported {n}"), "body": "old", "priority": "high", "tags": ["old"]});
    json!({"tickets": (0..count).map(ticket).collect::<Vec<_>>()})
}

/// Polls the job until it ends.
async fn ended(person: &Person, job: &str) -> Value {
    let poll = async {
        loop {
            let answer = person.get(job).send().await.expect(200);
            if !["queued", "running"].contains(&&*answer.text_at("/status")) {
                return serde_json::from_str(&answer.text()).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(HANG, poll)
        .await
        .expect("the job does not end")
}

#[doyen_test::test]
async fn an_import_creates_every_ticket_once(app: Helpdesk) {
    let agent = app.as_agent().await;
    let answer = agent
        .post("/v1/tickets/import")
        .header("Idempotency-Key", "import-1")
        .json(&tickets(120))
        .send()
        .await
        .expect(202);
    assert!(answer.text_at("/id").starts_with("job_"), "{answer}");
    let job = ended(&agent, &answer.text_at("/_links/self/href")).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(job["progress"], json!({"done": 120, "total": 120}));
    assert_eq!(job["result"], json!({"created": 120}));
    assert!(job["_links"]["cancel"].is_null(), "{job}");
    let same = "tickets WHERE subject LIKE 'imported %' AND priority = 2";
    assert_eq!(app.count(same).await, 120);
    let cancel = format!("/v1/jobs/{}/cancel", answer.text_at("/id"));
    agent
        .post(cancel)
        .send()
        .await
        .expect_problem(409, "job_ended");
}

#[doyen_test::test]
async fn a_job_is_visible_to_its_owner_and_to_administrators(app: Helpdesk) {
    let (agent, other, admin) = (
        app.as_agent().await,
        app.as_agent().await,
        app.as_admin().await,
    );
    let answer = agent
        .post("/v1/tickets/import")
        .header("Idempotency-Key", "import-2")
        .json(&tickets(1))
        .send()
        .await
        .expect(202);
    let job = answer.text_at("/_links/self/href");
    other
        .get(&job)
        .send()
        .await
        .expect_problem(404, "job_not_found");
    let cancel = format!("{job}/cancel");
    other
        .post(&cancel)
        .send()
        .await
        .expect_problem(404, "job_not_found");
    admin.get(&job).send().await.expect(200);
    app.as_customer()
        .await
        .get(&job)
        .send()
        .await
        .expect_problem(403, "forbidden");
}

#[doyen_test::test]
async fn a_wrong_import_is_refused_whole(app: Helpdesk) {
    let agent = app.as_agent().await;
    for body in [
        json!({"tickets": []}),
        tickets(1001),
        json!({"tickets": [{"subject": ""}]}),
    ] {
        let answer = agent
            .post("/v1/tickets/import")
            .header("Idempotency-Key", "import-3")
            .json(&body)
            .send()
            .await;
        assert_eq!(answer.status(), 422, "{answer}");
    }
    let customer = app.as_customer().await;
    let refused = customer
        .post("/v1/tickets/import")
        .header("Idempotency-Key", "import-4")
        .json(&tickets(1))
        .send()
        .await;
    refused.expect_problem(403, "forbidden");
    assert_eq!(app.count("jobs").await, 0);
}
