//! Tickets: opened, shown, edited, moved from state to state, deleted.

use std::time::Duration;

use doyen::domain::{Clock as _, Scope as _};
use doyen_test::Answer;
use helpdesk::access::{Role, Scope};
use serde_json::{Value, json};

use crate::support::{Helpdesk, Join as _, Person};

/// A ticket that nobody has.
const NOWHERE: &str = "tkt_01jd9m3z6veqjsk4dy2hjcg8x4";

#[doyen_test::test]
async fn a_new_ticket_has_a_place_and_a_tag(app: Helpdesk) {
    let ann = app.as_customer().await;
    let new = json!({"subject": "Printer", "body": "On fire.", "priority": "urgent", "tags": ["printer", "fire"]});
    let made = ann.opens_with(new).await;
    assert_eq!(
        made.location(),
        format!("/v1/tickets/{}", made.text_at("/id"))
    );
    let shown = ann.get(made.location()).send().await.expect(200);
    assert_eq!((shown.json(), shown.etag()), (made.json(), made.etag()));
    assert_eq!(shown.at("/tags"), json!(["fire", "printer"]));
    let ticket = shown.json();
    for (field, value) in [
        ("status", json!("open")),
        ("priority", json!("urgent")),
        ("assignee", Value::Null),
        ("comment_count", json!(0)),
        ("version", json!(1)),
        ("created_at", json!("2026-11-22T08:30:00.000000Z")),
        ("age_seconds", json!(0)),
        ("is_overdue", json!(false)),
    ] {
        assert_eq!(ticket[field], value, "{field}");
    }
    assert_eq!(
        (
            ticket["reporter"]["id"].as_str(),
            ticket["reporter"]["name"].as_str()
        ),
        (Some(ann.id.as_str()), Some("Ada Customer"))
    );
}

#[doyen_test::test]
async fn everything_wrong_is_told_at_once(app: Helpdesk) {
    let ann = app.as_customer().await;
    let wrong = json!({
        "subject": "",
        "body": 7,
        "priority": "ULTRA",
        "tags": ["ok", "Not OK", "x".repeat(33), 5, "ok"],
        "status": "closed",
        "sub/ject~": true,
    });
    let answer = ann
        .post("/v1/tickets")
        .json(&wrong)
        .send()
        .await
        .expect_problem(422, "invalid");
    let told = answer.failures();
    for failure in [
        "/body type",
        "/priority one_of",
        "/status unknown_field",
        "/sub~1ject~0 unknown_field",
        "/subject length",
        "/tags/1 pattern",
        "/tags/2 length",
        "/tags/3 type",
    ] {
        assert!(
            told.iter().any(|told| told == failure),
            "`{failure}` is not among {told:#?}"
        );
    }
    // The values themselves are not repeated: they may be secrets.
    for value in ["ULTRA", "Not OK"] {
        assert!(!answer.text().contains(value), "{answer}");
    }
    assert_eq!(app.count("tickets").await, 0);
}

#[doyen_test::test]
async fn lengths_are_counted_in_characters(app: Helpdesk) {
    let ann = app.as_customer().await;
    let ticket = |subject: String| json!({"subject": subject, "body": "b"});
    ann.opens_with(ticket("🖨".repeat(200))).await;
    let answer = ann
        .post("/v1/tickets")
        .json(&ticket("🖨".repeat(201)))
        .send()
        .await
        .expect(422);
    assert_eq!(answer.failures(), ["/subject length"]);
    let nul = ann
        .post("/v1/tickets")
        .json(&ticket("nul\0".to_owned()))
        .send()
        .await
        .expect(422);
    assert_eq!(nul.failures(), ["/subject characters"]);
}

#[doyen_test::test]
async fn broken_bodies_are_refused(app: Helpdesk) {
    let ann = app.as_customer().await;
    let send =
        async |media: &str, body: Vec<u8>| ann.post("/v1/tickets").body(media, body).send().await;
    let json = "application/json";
    send(
        json,
        br#"{"subject": "a", "subject": "b", "body": "c"}"#.to_vec(),
    )
    .await
    .expect_problem(400, "duplicate_key");
    send(json, br#"{"subject": "a", "body": "#.to_vec())
        .await
        .expect_problem(400, "malformed_json");
    send(json, b"{\"subject\": \"\xff\"}".to_vec())
        .await
        .expect_problem(400, "malformed_json");
    send(
        json,
        format!(
            "{{\"tags\": {}{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        )
        .into_bytes(),
    )
    .await
    .expect_problem(400, "too_deep");
    send(json, vec![b' '; (1 << 20) + 1])
        .await
        .expect_problem(413, "body_too_large");
    send("text/plain", b"{}".to_vec())
        .await
        .expect_problem(415, "unsupported_media_type");
    send("application/json; charset=latin1", b"{}".to_vec())
        .await
        .expect_problem(415, "unsupported_media_type");
    send("application/x-www-form-urlencoded", b"subject=a".to_vec())
        .await
        .expect_problem(415, "unsupported_media_type");
    let gzip = ann
        .post("/v1/tickets")
        .header("content-encoding", "gzip")
        .json(&json!({}))
        .send()
        .await;
    gzip.expect_problem(415, "unsupported_media_type");
    ann.post("/v1/tickets")
        .header("content-type", json)
        .send()
        .await
        .expect_problem(400, "malformed_json");
    for (body, kind) in [
        ("[]", "type"),
        ("null", "null"),
        ("\"text\"", "type"),
        ("7", "type"),
    ] {
        let answer = send(json, body.into()).await.expect(422);
        assert_eq!(answer.failures(), [format!(" {kind}")], "{body}");
    }
    assert_eq!(app.count("tickets").await, 0);
}

/// A ticket of somebody else is byte for byte the one that never was.
#[doyen_test::test]
async fn a_foreign_ticket_is_a_missing_one(app: Helpdesk) {
    let (ann, bob) = (app.as_customer().await, app.as_customer().await);
    let hers = ann.opens("hers").await.text_at("/id");
    let told = |answer: &Answer, id: &str| {
        let request = answer.header("x-request-id").unwrap_or_default().to_owned();
        let headers: Vec<String> = answer
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        format!("{}\n{}", headers.join("\n"), answer.text())
            .replace(&request, "REQUEST")
            .replace(id, "TICKET")
    };
    let calls: [(&str, &str, Option<Value>); 5] = [
        ("GET", "", None),
        ("GET", "/comments", None),
        ("POST", "/comments", Some(json!({"body": "x"}))),
        ("PATCH", "", Some(json!({"subject": "x"}))),
        ("DELETE", "", None),
    ];
    for (method, rest, body) in calls {
        let ask = async |id: &str| {
            let call = bob
                .request(method, format!("/v1/tickets/{id}{rest}"))
                .if_match("\"1-customer\"");
            match &body {
                Some(body) => call.json(body).send().await,
                None => call.send().await,
            }
        };
        let (foreign, missing) = (ask(&hers).await, ask(NOWHERE).await);
        assert!(matches!(foreign.status(), 403 | 404), "{foreign}");
        assert_eq!(
            told(&foreign, &hers),
            told(&missing, NOWHERE),
            "{method} {rest}"
        );
    }
    assert_eq!(ann.sees(&hers).await.text_at("/subject"), "hers");
}

#[doyen_test::test]
async fn a_ticket_is_not_sent_twice(app: Helpdesk) {
    let ann = app.as_customer().await;
    let made = ann.opens("printer").await;
    let again = |tag: &str| ann.get(made.location()).if_none_match(tag);
    let same = again(&made.etag()).send().await.expect(304);
    assert!(
        same.bytes().is_empty() && same.etag() == made.etag(),
        "{same}"
    );
    again(&format!("\"other\", W/{}", made.etag()))
        .send()
        .await
        .expect(304);
    again("*").send().await.expect(304);
    again("\"0\"").send().await.expect(200);
    let head = ann.head(made.location()).send().await.expect(200);
    assert!(head.bytes().is_empty());
    assert_eq!(
        head.header("content-length"),
        Some(
            ann.get(made.location())
                .send()
                .await
                .bytes()
                .len()
                .to_string()
                .as_str()
        )
    );
}

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
    // What changes nothing is no change.
    let same = patch(changed.etag(), json!({"subject": "new"}))
        .send()
        .await
        .expect(200);
    assert_eq!(same.etag(), changed.etag());
    for wrong in [
        json!({"subject": null}),
        json!({"tags": null}),
        json!({"priority": null}),
    ] {
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
    // Plain JSON is a merge patch too; other kinds of patch are not.
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

#[doyen_test::test]
async fn a_patch_needs_the_present_version(app: Helpdesk) {
    let ann = app.as_customer().await;
    let made = ann.opens("old").await;
    let change = json!({"subject": "new"});
    ann.patch(made.location())
        .merge_patch(&change)
        .send()
        .await
        .expect_problem(428, "precondition_required");
    for stale in [
        "\"0\"",
        "\"2\"",
        "\"2-customer\"",
        "\"\"",
        "W/\"1-customer\"",
        "1",
    ] {
        ann.patch(made.location())
            .if_match(stale)
            .merge_patch(&change)
            .send()
            .await
            .expect_problem(412, "precondition_failed");
    }
    assert_eq!(ann.sees(&made.text_at("/id")).await.at("/version"), 1);
    ann.patch(made.location())
        .if_match(made.etag())
        .merge_patch(&change)
        .send()
        .await
        .expect(200);
    ann.patch(made.location())
        .if_match(made.etag())
        .merge_patch(&change)
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

/// Fifty have read the same version and write at once: one of them wins, and the others are told.
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

async fn assign(agent: &Person, ticket: &str, to: &str) -> Answer {
    agent
        .post(format!("/v1/tickets/{ticket}/assign"))
        .json(&json!({"assignee": to}))
        .send()
        .await
}

/// Every action in every state: what the table permits works, everything else is 409 and changes nothing.
#[doyen_test::test]
async fn the_state_machine_is_kept(app: Helpdesk) {
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
            // The links say beforehand what will work.
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
    for nobody in [ann.id.as_str(), "usr_01jd9m3z6veqjsk4dy2hjcg8x4"] {
        let refused = assign(&agent, &ticket, nobody)
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
async fn administrators_delete_tickets_with_all_they_have(app: Helpdesk) {
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
        // The token is older than it lives: a new one.
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
            "what is solved waits no more"
        );
        app.clock().set(started);
    }
}

/// An event stands in the outbox if and only if the change is kept.
#[doyen_test::test]
async fn changes_leave_events(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let before = app.count("doyen_outbox").await;
    let ticket = ann.opens("printer").await.text_at("/id");
    agent.does("solve", &ticket).await.expect(200);
    agent.does("solve", &ticket).await.expect(409);
    ann.says(&ticket, "thanks").await.expect(201);
    ann.says(NOWHERE, "thanks").await.expect(404);
    assert_eq!(app.count("doyen_outbox").await - before, 3);
}
