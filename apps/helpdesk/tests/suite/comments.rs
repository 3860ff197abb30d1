//! Comments on a ticket, and the notes that customers do not see.

use doyen_test::Answer;
use serde_json::json;

use crate::support::people::texts;
use crate::support::{Helpdesk, Join as _, Person};

async fn note(person: &Person, ticket: &str, text: &str) -> Answer {
    person
        .post(format!("/v1/tickets/{ticket}/comments"))
        .json(&json!({"body": text, "internal": true}))
        .send()
        .await
}

async fn comments(person: &Person, ticket: &str) -> Answer {
    person
        .get(format!("/v1/tickets/{ticket}/comments"))
        .send()
        .await
        .expect(200)
}

#[doyen_test::test]
async fn comments_are_listed_in_order(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let ticket = ann.opens("printer").await.text_at("/id");
    let first = ann.says(&ticket, "Hello?").await.expect(201);
    assert!(first.text_at("/id").starts_with("cmt_"), "{first}");
    assert_eq!(
        (first.text_at("/author/id"), first.at("/internal")),
        (ann.id.clone(), json!(false))
    );
    app.clock().advance(std::time::Duration::from_secs(1));
    agent.says(&ticket, "Is it on?").await.expect(201);
    assert_eq!(
        texts(&comments(&ann, &ticket).await, "body"),
        ["Hello?", "Is it on?"]
    );
    assert_eq!(ann.sees(&ticket).await.at("/comment_count"), 2);
}

/// A note is invisible to a customer: in the list, the counts, the version and its tag, and the
/// time of the last change.
#[doyen_test::test]
async fn internal_notes_are_for_agents(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let ticket = ann.opens("printer").await.text_at("/id");
    ann.says(&ticket, "Hello?").await.expect(201);
    let (hers, theirs) = (ann.sees(&ticket).await, agent.sees(&ticket).await);
    app.clock().advance(std::time::Duration::from_secs(1));
    note(&agent, &ticket, "This one again.").await.expect(201);
    note(&agent, &ticket, "Sigh.").await.expect(201);
    assert_eq!(texts(&comments(&ann, &ticket).await, "body"), ["Hello?"]);
    assert_eq!(texts(&comments(&agent, &ticket).await, "body").len(), 3);
    let after = ann.sees(&ticket).await;
    for field in ["/comment_count", "/version", "/updated_at"] {
        assert_eq!(after.at(field), hers.at(field), "{field}");
    }
    assert_eq!(after.etag(), hers.etag());
    assert_ne!(agent.sees(&ticket).await.etag(), theirs.etag());
    assert_eq!(agent.sees(&ticket).await.at("/comment_count"), 3);
    let page = ann
        .get(format!("/v1/tickets/{ticket}/comments?page=1&per_page=1"))
        .send()
        .await
        .expect(200);
    assert_eq!(page.at("/page/total"), 1);
    // The same in lists of tickets.
    assert_eq!(
        ann.get("/v1/tickets")
            .send()
            .await
            .expect(200)
            .at("/items/0/comment_count"),
        1
    );
    assert_eq!(
        agent
            .get("/v1/tickets")
            .send()
            .await
            .expect(200)
            .at("/items/0/comment_count"),
        3
    );
}

#[doyen_test::test]
async fn customers_write_no_notes(app: Helpdesk) {
    let (ann, bob) = (app.as_customer().await, app.as_customer().await);
    let ticket = ann.opens("printer").await.text_at("/id");
    note(&ann, &ticket, "psst")
        .await
        .expect_problem(403, "agents_only");
    // Another customer does not learn that the ticket exists.
    note(&bob, &ticket, "psst")
        .await
        .expect_problem(404, "ticket_not_found");
    assert_eq!(app.count("comments").await, 0);
}

/// The views of customer and agent are two representations of one version: a cache must not return
/// one for the other.
#[doyen_test::test]
async fn views_of_one_version_have_different_tags(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let ticket = ann.opens("printer").await.text_at("/id");
    let (her_ticket, theirs) = (ann.sees(&ticket).await, agent.sees(&ticket).await);
    assert_eq!(her_ticket.at("/version"), theirs.at("/version"));
    assert_ne!(her_ticket.etag(), theirs.etag());
    agent
        .get(format!("/v1/tickets/{ticket}"))
        .if_none_match(her_ticket.etag())
        .send()
        .await
        .expect(200);
}

#[doyen_test::test]
async fn a_comment_changes_the_state_of_the_ticket(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let ticket = ann.opens("printer").await.text_at("/id");
    agent.says(&ticket, "Is it on?").await.expect(201);
    assert_eq!(ann.sees(&ticket).await.text_at("/status"), "pending");
    note(&agent, &ticket, "It never is.").await.expect(201);
    assert_eq!(ann.sees(&ticket).await.text_at("/status"), "pending");
    ann.says(&ticket, "It is now.").await.expect(201);
    assert_eq!(ann.sees(&ticket).await.text_at("/status"), "open");
}

/// A comment carries no version, so fifty at once wait for each other, and each is counted.
#[doyen_test::test]
async fn no_comment_is_lost_in_a_crowd(app: Helpdesk) {
    const CROWD: usize = 50;
    let ann = app.as_customer().await;
    let ticket = ann.opens("printer").await.text_at("/id");
    let sent: Vec<_> = (0..CROWD)
        .map(|n| {
            let (ann, ticket) = (ann.clone(), ticket.clone());
            tokio::spawn(async move { ann.says(&ticket, &format!("me {n}")).await })
        })
        .collect();
    for comment in sent {
        comment
            .await
            .unwrap_or_else(|error| panic!("{error}"))
            .expect(201);
    }
    let seen = ann.sees(&ticket).await;
    assert_eq!(
        (seen.at("/comment_count"), seen.at("/version")),
        (json!(CROWD), json!(CROWD + 1))
    );
    assert_eq!(app.count("comments").await, CROWD as i64);
}

#[doyen_test::test]
async fn invalid_comments_are_refused(app: Helpdesk) {
    let ann = app.as_customer().await;
    let ticket = ann.opens("printer").await.text_at("/id");
    let path = format!("/v1/tickets/{ticket}/comments");
    let failures = async |body: serde_json::Value| {
        ann.post(&path)
            .json(&body)
            .send()
            .await
            .expect_problem(422, "invalid")
            .failures()
    };
    assert_eq!(failures(json!({})).await, ["/body required"]);
    assert_eq!(failures(json!({"body": ""})).await, ["/body length"]);
    assert_eq!(
        failures(json!({"body": "x".repeat(20_001)})).await,
        ["/body length"]
    );
    assert_eq!(
        failures(json!({"body": "x", "internal": "yes", "author": 1})).await,
        ["/author unknown_field", "/internal type"]
    );
    ann.post(&path)
        .json(&json!({"body": "é".repeat(20_000)}))
        .send()
        .await
        .expect(201);
}
