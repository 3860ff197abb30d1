//! Counts of tickets.

use doyen_test::RedisServer;
use serde_json::json;

use crate::support::{Helpdesk, Join as _, Person, patient};

#[doyen_test::test]
async fn counts_follow_the_tickets(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let stats = ann.get("/v1/stats").send().await.expect(200).json();
    assert_eq!(stats["total"], 0);
    ann.opens_with(json!({"subject": "one", "body": "b", "priority": "urgent"}))
        .await;
    let two = ann.opens("two").await.text_at("/id");
    agent.does("solve", &two).await.expect(200);
    let stats = ann.get("/v1/stats").send().await.expect(200).json();
    assert_eq!(
        stats,
        json!({
            "total": 2,
            "by_status": {"open": 1, "pending": 0, "solved": 1, "closed": 0},
            "by_priority": {"low": 0, "normal": 1, "high": 0, "urgent": 1},
        })
    );
}

#[doyen_test::test]
async fn customers_count_their_own_and_agents_all(app: Helpdesk) {
    let (ann, bob, agent) = (
        app.as_customer().await,
        app.as_customer().await,
        app.as_agent().await,
    );
    ann.opens("ann's").await;
    bob.opens("bob's").await;
    for (who, total) in [(&ann, 1), (&bob, 1), (&agent, 2)] {
        assert_eq!(
            who.get("/v1/stats").send().await.expect(200).at("/total"),
            total
        );
    }
}

async fn total(person: &Person) -> serde_json::Value {
    person
        .get("/v1/stats")
        .send()
        .await
        .expect(200)
        .at("/total")
}

#[doyen_test::test]
async fn counts_are_kept_until_a_ticket_changes(app: Helpdesk) {
    let (ann, admin) = (app.as_customer().await, app.as_admin().await);
    assert_eq!(total(&ann).await, 0);
    let first = ann.get("/v1/stats").send().await.expect(200);
    let kept = first.header("cache-control");
    assert_eq!(kept, Some("private, no-cache"));
    let known = async |tag: &str| {
        ann.get("/v1/stats")
            .if_none_match(tag)
            .send()
            .await
            .status()
    };
    assert_eq!(known(&first.etag()).await, 304);
    // What another program writes shows that the counts are not read again.
    let ticket = ann.opens("printer").await;
    assert_eq!(known(&first.etag()).await, 200);
    let tag = ann.get("/v1/stats").send().await.expect(200).etag();
    for status in ["pending", "open"] {
        let sql = "UPDATE tickets SET status = $1";
        app.execute(sql, [status.into()]).await;
        assert_eq!(known(&tag).await, 304);
    }
    // Each write of the application is seen by the next read.
    let edit = ann.patch(ticket.location()).if_match(ticket.etag());
    let edit = edit
        .merge_patch(&json!({"priority": "urgent"}))
        .send()
        .await;
    edit.expect(200);
    let stats = ann.get("/v1/stats").send().await.expect(200).json();
    assert_eq!(stats["by_priority"]["urgent"], 1, "{stats}");
    admin
        .does("solve", &ticket.text_at("/id"))
        .await
        .expect(200);
    let stats = ann.get("/v1/stats").send().await.expect(200).json();
    assert_eq!(stats["by_status"]["solved"], 1, "{stats}");
    let deleted = admin.delete(ticket.location()).if_match("*").send().await;
    deleted.expect(204);
    assert_eq!(total(&ann).await, 0);
    // A refused change invalidates nothing.
    let tag = ann.get("/v1/stats").send().await.expect(200).etag();
    let refused = ann
        .post("/v1/tickets")
        .json(&json!({"subject": ""}))
        .send()
        .await;
    refused.expect(422);
    assert_eq!(known(&tag).await, 304);
}

/// Two nodes with one Redis, which is paused, killed and started again.
#[doyen_test::test]
async fn counts_are_invalidated_on_every_node(app: Helpdesk) {
    let mut redis = RedisServer::start();
    let node = || {
        let setup = patient().set("redis.url", &redis.url());
        setup.set("redis.timeout", "100ms")
    };
    let (one, two) = (app.another(node()).await, app.another(node()).await);
    let ann = app.as_customer().await;
    let (here, there) = (ann.at(&one), ann.at(&two));
    let mut expected = 0;
    let mut check = async || {
        for (writer, reader) in [(&here, &there), (&there, &here)] {
            writer.opens("printer").await;
            expected += 1;
            // At once on the node of the change, and soon on the other.
            assert_eq!(total(writer).await, expected);
            wait_for(async || total(reader).await == expected).await;
        }
    };
    check().await;
    redis.pause();
    here.opens("during the pause").await;
    assert_eq!(total(&here).await, 3);
    redis.resume();
    wait_for(async || total(&there).await == 3).await;
    redis.kill();
    there.opens("while it is down").await;
    assert_eq!(total(&there).await, 4);
    assert_eq!(here.get("/v1/stats").send().await.status(), 200);
    redis.restart();
    wait_for(async || total(&here).await == 4).await;
}

/// Waits for what reaches another node in the background.
async fn wait_for(is: impl AsyncFn() -> bool) {
    let started = std::time::Instant::now();
    while !is().await {
        assert!(
            started.elapsed().as_secs() < 60,
            "the other node never follows"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
