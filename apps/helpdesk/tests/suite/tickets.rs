//! Tickets: created, refused, shown.

use doyen_test::Answer;
use serde_json::{Value, json};

use crate::support::{Helpdesk, Join as _};

/// The id of a ticket that does not exist.
pub(crate) const NOWHERE: &str = "tkt_01jd9m3z6veqjsk4dy2hjcg8x4";

#[doyen_test::test]
async fn a_new_ticket_has_a_location_and_a_tag(app: Helpdesk) {
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
async fn all_errors_are_reported_at_once(app: Helpdesk) {
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
    let received = answer.failures();
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
            received.iter().any(|received| received == failure),
            "`{failure}` is not among {received:#?}"
        );
    }
    // The values are not repeated, because they may be secrets.
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
async fn malformed_bodies_are_refused(app: Helpdesk) {
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

/// The response for another customer's ticket is byte for byte that for an unknown id.
#[doyen_test::test]
async fn the_ticket_of_another_customer_is_not_found(app: Helpdesk) {
    let (ann, bob) = (app.as_customer().await, app.as_customer().await);
    let her_ticket = ann.opens("hers").await.text_at("/id");
    let received = |answer: &Answer, id: &str| {
        let request = answer.header("x-request-id").unwrap().to_owned();
        let headers: Vec<String> = answer
            .headers()
            .iter()
            // The state of the limit only depends on the order of the requests.
            .filter(|(name, _)| *name != "ratelimit")
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
        let (foreign, missing) = (ask(&her_ticket).await, ask(NOWHERE).await);
        assert!(matches!(foreign.status(), 403 | 404), "{foreign}");
        assert_eq!(
            received(&foreign, &her_ticket),
            received(&missing, NOWHERE),
            "{method} {rest}"
        );
    }
    assert_eq!(ann.sees(&her_ticket).await.text_at("/subject"), "hers");
}

#[doyen_test::test]
async fn an_unchanged_ticket_is_not_sent_again(app: Helpdesk) {
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
