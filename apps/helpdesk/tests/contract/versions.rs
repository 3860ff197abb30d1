//! The older versions of the API, and changes that break clients.

use doyen_test::{Answer, Call, Program};
use serde_json::{Value, json};

use crate::support::{Helpdesk, Join as _};

const OLDER: &str = "2026-06-01";

fn older(call: Call) -> Call {
    call.header("api-version", OLDER)
}

fn is_older(answer: &Answer) {
    assert_eq!(answer.header("api-version"), Some(OLDER));
    assert_eq!(answer.header("deprecation"), Some("@1793491200"));
    assert_eq!(
        answer.header("sunset"),
        Some("Mon, 01 Nov 2027 00:00:00 GMT")
    );
    assert!(
        answer
            .header("link")
            .is_some_and(|link| link.contains("rel=\"deprecation\""))
    );
    assert!(
        answer
            .header("vary")
            .is_some_and(|vary| vary.contains("API-Version")),
        "{answer}"
    );
}

#[doyen_test::test]
async fn a_ticket_of_the_older_version_has_the_id_of_its_assignee(app: Helpdesk) {
    let (customer, agent) = (app.as_customer().await, app.as_agent().await);
    let new = json!({"subject": "s", "body": "b"});
    let made = older(customer.post("/v1/tickets"))
        .json(&new)
        .send()
        .await
        .expect(201);
    is_older(&made);
    assert_eq!(made.at("/assignee_id"), Value::Null);
    assert!(made.json().get("assignee").is_none());
    let id = made.text_at("/id");
    let path = format!("/v1/tickets/{id}");
    // Up: the body of a request.
    let to = json!({"assignee_id": agent.id});
    let assigned = older(agent.post(format!("{path}/assign")))
        .json(&to)
        .send()
        .await
        .expect(200);
    assert_eq!(assigned.text_at("/assignee_id"), agent.id);
    let wrong = older(agent.post(format!("{path}/assign"))).json(&json!({"assignee_id": 7}));
    let wrong = wrong.send().await.expect_problem(422, "invalid");
    assert_eq!(wrong.failures(), ["/assignee_id type"]);
    // Lists, and selected fields.
    let list = older(agent.get("/v1/tickets")).send().await.expect(200);
    is_older(&list);
    assert_eq!(list.text_at("/items/0/assignee_id"), agent.id);
    let fields = older(agent.get("/v1/tickets?fields=id,assignee_id"))
        .send()
        .await
        .expect(200);
    assert_eq!(
        fields.at("/items/0"),
        json!({"id": id, "assignee_id": agent.id})
    );
    // The newest is as before, also by its name.
    for call in [
        agent.get(&path),
        agent.get(&path).header("api-version", "2026-11-01"),
    ] {
        let newest = call.send().await.expect(200);
        assert_eq!(newest.text_at("/assignee/id"), agent.id);
        assert!(newest.json().get("assignee_id").is_none());
        assert_eq!(newest.header("deprecation"), None);
    }
}

#[doyen_test::test]
async fn a_tag_belongs_to_one_version(app: Helpdesk) {
    let customer = app.as_customer().await;
    let ticket = customer.opens("s").await;
    let path = format!("/v1/tickets/{}", ticket.text_at("/id"));
    let old = older(customer.get(&path)).send().await.expect(200);
    assert_ne!(old.etag(), ticket.etag());
    // The older tag is not known in the newest version, and the other way round.
    customer
        .get(&path)
        .if_none_match(old.etag())
        .send()
        .await
        .expect(200);
    older(customer.get(&path))
        .if_none_match(ticket.etag())
        .send()
        .await
        .expect(200);
    let known = older(customer.get(&path))
        .if_none_match(old.etag())
        .send()
        .await
        .expect(304);
    assert_eq!(known.etag(), old.etag());
    // An older client edits with the tag that it has.
    let edit = older(customer.patch(&path))
        .if_match(old.etag())
        .merge_patch(&json!({"subject": "t"}));
    let edited = edit.send().await.expect(200);
    assert_eq!(edited.text_at("/subject"), "t");
    let stale = older(customer.patch(&path))
        .if_match(old.etag())
        .merge_patch(&json!({"subject": "u"}));
    stale.send().await.expect(412);
}

#[doyen_test::test]
async fn a_replay_has_the_version_of_the_retry(app: Helpdesk) {
    let customer = app.as_customer().await;
    let create = || {
        let call = customer.post("/v1/tickets").header("idempotency-key", "k");
        call.json(&json!({"subject": "s", "body": "b"}))
    };
    let first = older(create()).send().await.expect(201);
    let again = older(create()).send().await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.bytes(), again.etag()), (first.bytes(), first.etag()));
    let newest = create().send().await.expect(201);
    assert_eq!(newest.header("idempotency-replayed"), Some("true"));
    assert!(newest.json().get("assignee").is_some());
}

#[doyen_test::test]
async fn unknown_and_ended_versions_are_refused(app: Helpdesk) {
    let customer = app.as_customer().await;
    let with = |version: &str| {
        customer
            .get("/v1/tickets")
            .header("api-version", version)
            .send()
    };
    for unknown in ["1999-01-01", "", "2026-11-01 ", "newest"] {
        let answer = with(unknown).await.expect_problem(400, "unknown_version");
        assert!(answer.text_at("/detail").contains(OLDER));
    }
    let gone = with("2026-01-01").await.expect_problem(410, "version_gone");
    assert!(gone.text_at("/detail").contains("2026-11-01"));
    let twice = customer
        .get("/v1/tickets")
        .header("api-version", OLDER)
        .header("api-version", OLDER);
    twice.send().await.expect_problem(400, "unknown_version");
    // A caller without access to the route learns nothing about its versions.
    let anonymous = app
        .get("/v1/tickets")
        .header("api-version", "1999-01-01")
        .send()
        .await;
    anonymous.expect_problem(401, "unauthenticated");
    for code in ["unknown_version", "version_gone"] {
        app.get(format!("/problems/{code}"))
            .send()
            .await
            .expect(200);
    }
    app.get("/openapi.json?version=2026-01-01")
        .send()
        .await
        .expect_problem(400, "unknown_version");
}

#[doyen_test::test(sqlite)]
async fn the_document_of_the_older_version_is_derived(app: Helpdesk) {
    let path = format!("/openapi.json?version={OLDER}");
    let document = app.get(path).send().await.expect(200).json();
    let ticket = &document["components"]["schemas"]["Ticket"];
    assert_eq!(
        ticket["properties"]["assignee_id"]["type"],
        json!(["string", "null"])
    );
    let required: Vec<&str> = ticket["required"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(required.contains(&"assignee_id") && !required.contains(&"assignee"));
    let assignment = &document["components"]["schemas"]["Assignment"];
    assert_eq!(assignment["required"], json!(["assignee_id"]));
    let list = &document["paths"]["/v1/tickets"]["get"];
    assert_eq!(list["deprecated"], true);
    let text = list.to_string();
    assert!(text.contains("\"assignee_id\""), "{text}");
    let fields = list["parameters"].as_array().unwrap();
    let fields = fields.iter().find(|one| one["name"] == "fields").unwrap();
    let names = fields["schema"]["items"]["enum"].as_array().unwrap();
    assert!(names.contains(&json!("assignee_id")) && !names.contains(&json!("assignee")));
    // The newest says nothing of it.
    let newest = app.get("/openapi.json").send().await.expect(200);
    assert!(!newest.text().contains("assignee_id"));
}

fn committed() -> String {
    format!("{}/openapi.json", env!("CARGO_MANIFEST_DIR"))
}

fn command(words: &[&str]) -> doyen_test::Ended {
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk"));
    words
        .iter()
        .fold(program, |program, word| program.arg(word))
        .run()
}

/// The gate: a change that breaks clients fails here. Add a version, or replace
/// `openapi.released.json` if nothing was released with the old shape.
#[test]
fn no_change_since_the_release_breaks_clients() {
    let released = format!("{}/openapi.released.json", env!("CARGO_MANIFEST_DIR"));
    let ended = command(&["openapi", "diff", &released, &committed()]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn the_command_names_what_breaks() {
    let folder = std::env::temp_dir().join(format!("doyen-diff-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let older = folder.join("older.json");
    std::fs::write(&older, command(&["openapi", "--api-version", OLDER]).stdout).unwrap();
    let older = older.to_str().unwrap();
    // Without the version between them, clients of the older one would break.
    let ended = command(&["openapi", "diff", older]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("response_field_removed"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("request_field_removed"),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("break clients"), "{}", ended.stderr);
    assert_eq!(command(&["openapi", "diff", older, older]).code, Some(0));
    let missing = command(&["openapi", "diff", "/no/such/file.json"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stderr.contains("/no/such/file.json"),
        "{}",
        missing.stderr
    );
    let unknown = command(&["openapi", "--api-version", "1999-01-01"]);
    assert!(unknown.stderr.contains(OLDER), "{}", unknown.stderr);
    std::fs::remove_dir_all(&folder).unwrap();
}
