//! Changes need the current version, and a deletion removes all parts of a ticket.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Helpdesk, Join as _};
use crate::tickets::NOWHERE;

#[doyen_test::test]
async fn a_ticket_is_patched_by_merging(app: Helpdesk) {
    let ann = app.as_customer().await;
    let made = ann
        .opens_with(json!({"subject": "old", "body": "b", "priority": "low", "tags": ["a", "b"]}))
        .await;
    let patch =
        |tag: String, body: Value| ann.patch(made.location()).if_match(tag).merge_patch(&body);
    app.clock().advance(Duration::from_secs(60));
    let changed = patch(made.etag(), json!({"subject": "new", "tags": ["c"]}))
        .send()
        .await
        .expect(200);
    let ticket = changed.json();
    assert_eq!(
        (
            &ticket["subject"],
            &ticket["tags"],
            &ticket["priority"],
            &ticket["version"]
        ),
        (&json!("new"), &json!(["c"]), &json!("low"), &json!(2))
    );
    assert_eq!(
        (&ticket["created_at"], &ticket["updated_at"]),
        (
            &json!("2026-11-22T08:30:00.000000Z"),
            &json!("2026-11-22T08:31:00.000000Z")
        )
    );
    // A patch without a difference changes nothing.
    let same = patch(changed.etag(), json!({"subject": "new"}))
        .send()
        .await
        .expect(200);
    assert_eq!(same.etag(), changed.etag());
    for wrong in [json!({"subject": null}), json!({"body": null})] {
        assert_eq!(
            patch(changed.etag(), wrong)
                .send()
                .await
                .expect(422)
                .failures()
                .len(),
            1
        );
    }
    assert_eq!(
        patch(changed.etag(), json!({"status": "closed"}))
            .send()
            .await
            .expect(422)
            .failures(),
        ["/status unknown_field"]
    );
    // Plain JSON is a merge patch too; other patch formats are refused.
    ann.patch(made.location())
        .if_match(changed.etag())
        .json(&json!({"subject": "newer"}))
        .send()
        .await
        .expect(200);
    let other = ann
        .patch(made.location())
        .if_match("*")
        .body("application/json-patch+json", "[]");
    other
        .send()
        .await
        .expect_problem(415, "unsupported_media_type");
}

/// A merge patch removes a value with null: one with a default on creation returns to it.
#[doyen_test::test]
async fn null_resets_a_value_with_a_default(app: Helpdesk) {
    let ann = app.as_customer().await;
    let made = ann
        .opens_with(json!({"subject": "s", "body": "b", "priority": "urgent", "tags": ["a", "b"]}))
        .await;
    let reset = ann
        .patch(made.location())
        .if_match(made.etag())
        .merge_patch(&json!({"tags": null, "priority": null}))
        .send()
        .await
        .expect(200);
    let defaults = ann
        .opens_with(json!({"subject": "s", "body": "b"}))
        .await
        .json();
    let ticket = reset.json();
    assert_eq!(
        (&ticket["tags"], &ticket["priority"], &ticket["subject"]),
        (&defaults["tags"], &defaults["priority"], &json!("s"))
    );
}

#[doyen_test::test]
async fn a_patch_needs_the_current_version(app: Helpdesk) {
    let ann = app.as_customer().await;
    let made = ann.opens("old").await;
    let change = json!({"subject": "new"});
    ann.patch(made.location())
        .merge_patch(&change)
        .send()
        .await
        .expect_problem(428, "precondition_required");
    let changed = ann
        .patch(made.location())
        .if_match(made.etag())
        .merge_patch(&change)
        .send()
        .await
        .expect(200);
    let again = json!({"subject": "newer"});
    // Only the version is wrong.
    let (old, tag) = (made.etag(), changed.etag());
    let newer = tag.replacen("\"2", "\"3", 1);
    assert_ne!(newer, tag);
    for stale in [
        &old,
        &newer,
        &format!("{old}, {newer}"),
        &format!("W/{tag}"),
        "\"1\"",
        "\"2x\"",
        "\"\"",
        "2",
    ] {
        ann.patch(made.location())
            .if_match(stale)
            .merge_patch(&again)
            .send()
            .await
            .expect_problem(412, "precondition_failed");
    }
    assert_eq!(ann.sees(&made.text_at("/id")).await.at("/version"), 2);
    ann.patch(made.location())
        .if_match(format!("{old}, {tag}"))
        .merge_patch(&again)
        .send()
        .await
        .expect(200);
    ann.patch(made.location())
        .if_match(&tag)
        .merge_patch(&again)
        .send()
        .await
        .expect_problem(412, "precondition_failed");
    ann.patch(made.location())
        .if_match("*")
        .merge_patch(&json!({"subject": "newest"}))
        .send()
        .await
        .expect(200);
}

/// Fifty clients update the same version at once: one of them succeeds, and the others get a
/// conflict.
#[doyen_test::test]
async fn one_of_fifty_writers_wins(app: Helpdesk) {
    let ann = app.as_customer().await;
    let made = ann.opens("old").await;
    let writers: Vec<_> = (0..50)
        .map(|n| {
            let call = ann
                .patch(made.location())
                .if_match(made.etag())
                .merge_patch(&json!({"subject": format!("writer {n}")}));
            tokio::spawn(call.send())
        })
        .collect();
    let mut won = Vec::new();
    for writer in writers {
        let answer = writer.await.unwrap_or_else(|error| panic!("{error}"));
        match answer.status() {
            200 => won.push(answer.text_at("/subject")),
            412 => {}
            other => panic!("{other}\n\n{answer}"),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    let now = ann.sees(&made.text_at("/id")).await;
    assert_eq!(
        (now.text_at("/subject"), now.at("/version")),
        (won.remove(0), json!(2))
    );
}

#[doyen_test::test]
async fn administrators_delete_tickets_with_all_their_parts(app: Helpdesk) {
    let (ann, agent, admin) = (
        app.as_customer().await,
        app.as_agent().await,
        app.as_admin().await,
    );
    let made = ann
        .opens_with(json!({"subject": "s", "body": "b", "tags": ["x"]}))
        .await;
    let ticket = made.text_at("/id");
    ann.says(&ticket, "Hello?").await.expect(201);
    for person in [&ann, &agent] {
        person
            .delete(made.location())
            .send()
            .await
            .expect_problem(403, "forbidden");
    }
    assert!(
        admin.sees(&ticket).await.json()["_links"]
            .get("delete")
            .is_some()
    );
    assert!(
        ann.sees(&ticket).await.json()["_links"]
            .get("delete")
            .is_none()
    );
    assert!(
        admin
            .delete(made.location())
            .send()
            .await
            .expect(204)
            .bytes()
            .is_empty()
    );
    admin
        .delete(made.location())
        .send()
        .await
        .expect_problem(404, "ticket_not_found");
    ann.sees(&ticket)
        .await
        .expect_problem(404, "ticket_not_found");
    for table in ["tickets", "comments", "ticket_tags"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
}

/// An event is in the outbox if and only if the change is committed.
#[doyen_test::test]
async fn changes_leave_events(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let before = app.count("doyen_outbox").await;
    let ticket = ann.opens("printer").await.text_at("/id");
    agent.does("solve", &ticket).await.expect(200);
    agent.does("solve", &ticket).await.expect(409);
    ann.says(&ticket, "thanks").await.expect(201);
    ann.says(NOWHERE, "thanks").await.expect(404);
    // A customer's comment on a solved ticket changes no status.
    assert_eq!(app.count("doyen_outbox").await - before, 3);
    let of =
        |filter: &str| format!("doyen_outbox WHERE aggregate = 'ticket:{ticket}' AND {filter}");
    for topic in ["created", "solved", "commented"] {
        let count = app.count(&of(&format!("topic = 'ticket.{topic}'"))).await;
        assert_eq!(count, 1, "{topic}");
    }
    let note = json!({"body": "a secret", "internal": true});
    let path = format!("/v1/tickets/{ticket}/comments");
    agent.post(path).json(&note).send().await.expect(201);
    let internal = r#"payload LIKE '%"internal":true%'"#;
    assert_eq!(app.count(&of(internal)).await, 1);
    let traced = app.count(&of("trace LIKE '00-%'")).await;
    assert_eq!(traced, 4, "each event carries the trace of its request");
}
