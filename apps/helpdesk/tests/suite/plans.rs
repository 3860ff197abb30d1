//! The plans of the lists: each is read by an index, in the order of the page.
//!
//! `DOYEN_PLANS=overwrite` writes the files in `tests/plans`.

use doyen_test::{Answer, TestApp};

use crate::size::fill;
use crate::support::{Helpdesk, Join as _, Person};

const PLANS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans/tickets");

/// Lists of an agent, and of a customer, who sees only their own tickets.
const LISTS: &[(bool, &str)] = &[
    (true, ""),
    (true, "sort=-updated_at"),
    (true, "sort=-priority"),
    (true, "status=open"),
    (true, "status=open&sort=-updated_at"),
    (true, "priority=urgent"),
    (true, "assignee=ME"),
    (true, "assignee=ME&sort=-updated_at"),
    (true, "tag=rare"),
    (false, ""),
    (false, "sort=-updated_at"),
];

async fn list(person: &Person, query: &str) -> Answer {
    let query = query.replace("ME", &person.id);
    let call = person.get(format!("/v1/tickets?{query}"));
    call.send().await.expect(200)
}

/// Sends all requests, and compares their plans.
async fn assert_plans(app: &TestApp, agent: &Person, ann: &Person) {
    let mut answers = Vec::new();
    for (is_agent, query) in LISTS {
        let (role, person) = match is_agent {
            true => ("agent", agent),
            false => ("customer", ann),
        };
        let label = match *query {
            "" => format!("{role}, no filter"),
            query => format!("{role}, {query}"),
        };
        answers.push((label, list(person, query).await));
    }
    let admin = app.as_admin().await;
    let answer = admin.get("/v1/users").send().await.expect(200);
    answers.push(("first page".to_owned(), answer));
    let requests: Vec<(&str, &Answer)> = answers
        .iter()
        .map(|(label, answer)| (label.as_str(), answer))
        .collect();
    app.assert_plans(PLANS, &requests).await;
}

#[doyen_test::test]
async fn lists_keep_their_plans_and_a_lost_index_is_noticed(app: Helpdesk) {
    let (agent, ann) = (app.as_agent().await, app.as_customer().await);
    fill(&app, &ann, 10_000).await;
    let inner: TestApp = (*app).clone();
    assert_plans(&inner, &agent, &ann).await;
    if std::env::var_os("DOYEN_PLANS").is_some() {
        return;
    }
    // The plan of a list degrades without its index, and the test says so.
    app.execute("DROP INDEX tickets_by_change", []).await;
    let degraded = tokio::spawn(async move { assert_plans(&inner, &agent, &ann).await });
    let panic = degraded.await.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    let (before, now) = message.split_once("\nnow:\n").unwrap();
    assert!(
        before.contains("the plans have changed") && before.contains("DOYEN_PLANS=overwrite"),
        "{message}"
    );
    assert!(before.contains("tickets_by_change"), "{message}");
    assert!(!now.contains("tickets_by_change"), "{message}");
}
