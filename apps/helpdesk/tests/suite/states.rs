//! The states of a ticket, its transitions, and its deadlines.

use std::time::Duration;

use doyen::domain::{Clock as _, Scope as _};
use doyen_test::Answer;
use helpdesk::access::{Role, Scope};
use serde_json::json;

use crate::support::{Helpdesk, Join as _, Person};
use crate::tickets::NOWHERE;

async fn assign(agent: &Person, ticket: &str, to: &str) -> Answer {
    agent
        .post(format!("/v1/tickets/{ticket}/assign"))
        .json(&json!({"assignee": to}))
        .send()
        .await
}

/// Every action in every state: the permitted ones succeed, all others are a 409 and change
/// nothing.
#[doyen_test::test]
async fn only_permitted_transitions_succeed(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let possible = [
        ("open", vec!["assign", "solve"]),
        ("pending", vec!["assign", "solve"]),
        ("solved", vec!["assign", "close", "reopen"]),
        ("closed", vec!["reopen"]),
    ];
    for (status, possible) in possible {
        for action in ["assign", "solve", "close", "reopen"] {
            let ticket = ann.opens(status).await.text_at("/id");
            match status {
                "pending" => drop(agent.says(&ticket, "Is it on?").await.expect(201)),
                "solved" => drop(agent.does("solve", &ticket).await.expect(200)),
                "closed" => {
                    agent.does("solve", &ticket).await.expect(200);
                    agent.does("close", &ticket).await.expect(200);
                }
                _ => {}
            }
            let before = agent.sees(&ticket).await;
            assert_eq!(before.text_at("/status"), status);
            // The links announce the permitted actions.
            assert_eq!(
                before.json()["_links"].get(action).is_some(),
                possible.contains(&action),
                "{status} {action}\n\n{before}"
            );
            assert!(
                ann.sees(&ticket).await.json()["_links"]
                    .get(action)
                    .is_none(),
                "a customer may not {action}"
            );
            let answer = if action == "assign" {
                assign(&agent, &ticket, &agent.id).await
            } else {
                agent.does(action, &ticket).await
            };
            if possible.contains(&action) {
                answer.expect(200);
            } else {
                answer.expect_problem(409, "invalid_transition");
                assert_eq!(agent.sees(&ticket).await.bytes(), before.bytes());
            }
            let refused = if action == "assign" {
                assign(&ann, &ticket, &agent.id).await
            } else {
                ann.does(action, &ticket).await
            };
            refused.expect_problem(403, "forbidden");
        }
    }
}

#[doyen_test::test]
async fn tickets_are_assigned_to_agents_only(app: Helpdesk) {
    let (ann, agent, admin) = (
        app.as_customer().await,
        app.as_agent().await,
        app.as_admin().await,
    );
    let ticket = ann.opens("printer").await.text_at("/id");
    let answer = assign(&agent, &ticket, &admin.id).await.expect(200);
    assert_eq!(
        (answer.text_at("/assignee/id"), answer.at("/version")),
        (admin.id.clone(), json!(2))
    );
    for invalid in [ann.id.as_str(), "usr_01jd9m3z6veqjsk4dy2hjcg8x4"] {
        let refused = assign(&agent, &ticket, invalid)
            .await
            .expect_problem(422, "not_an_agent");
        assert_eq!(refused.failures(), ["/assignee agent"]);
    }
    let refused = assign(&agent, &ticket, &ticket)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(refused.failures().len(), 1, "{refused}");
    assign(&agent, NOWHERE, &agent.id)
        .await
        .expect_problem(404, "ticket_not_found");
}

#[doyen_test::test]
async fn a_ticket_ages_and_becomes_overdue(app: Helpdesk) {
    let agent = app.as_agent().await;
    let spans = [
        ("urgent", 4),
        ("high", 24),
        ("normal", 3 * 24),
        ("low", 7 * 24),
    ];
    for (priority, hours) in spans {
        let made = agent
            .opens_with(json!({"subject": priority, "body": "b", "priority": priority}))
            .await;
        let (id, started) = (made.text_at("/id"), app.clock().now());
        let limit = hours * 3600;
        app.clock().advance(Duration::from_secs(limit));
        // The token has expired: a new one.
        let agent = agent.only(Role::Agent, &Scope::all()).await;
        let ticket = agent.sees(&id).await.expect(200).json();
        assert_eq!(
            (&ticket["age_seconds"], &ticket["is_overdue"]),
            (&json!(limit), &json!(false)),
            "{priority}"
        );
        app.clock().advance(Duration::from_secs(1));
        assert_eq!(agent.sees(&id).await.at("/is_overdue"), true, "{priority}");
        agent.does("solve", &id).await.expect(200);
        assert_eq!(
            agent.sees(&id).await.at("/is_overdue"),
            false,
            "a solved ticket is not overdue"
        );
        app.clock().set(started);
    }
}
