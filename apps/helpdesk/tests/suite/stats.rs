//! Counts of tickets.

use serde_json::json;

use crate::support::{Helpdesk, Join as _};

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
