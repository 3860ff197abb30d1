//! The command `load`: what it plans from the document, and what it refuses. `cargo xtask contract`
//! runs the load tests that it writes.

use doyen_test::{Ended, Program};
use serde_json::{Value, json};

fn run(words: &[&str]) -> Ended {
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk"));
    words.iter().fold(program, |all, word| all.arg(word)).run()
}

fn plan(words: &[&str]) -> Value {
    let printed = run(&[&["load", "plan.json"], words].concat());
    assert_eq!(printed.code, Some(0), "{printed:?}");
    serde_json::from_str(&printed.stdout).unwrap()
}

#[test]
fn the_plan_has_what_the_document_says() {
    let plan = plan(&["--tag", "tickets", "--rate", "12.5", "--writes", "10"]);
    assert_eq!(plan["login"], "/v1/auth/login");
    assert_eq!(plan["reads"], json!(["/v1/stats"]));
    let tickets = &plan["resources"][0];
    assert_eq!(tickets["list"], "/v1/tickets");
    assert_eq!(tickets["item"], "/v1/tickets/{id}");
    let parts = json!(["/v1/tickets/{id}/attachments", "/v1/tickets/{id}/comments"]);
    assert_eq!(tickets["parts"], parts);
    assert_eq!(tickets["create"]["path"], "/v1/tickets");
    // The examples of the document, and no field that is optional.
    let body = json!({
        "subject": "The printer on the second floor is on fire",
        "body": "It began with a smell of toner. Now there is smoke.",
    });
    assert_eq!(tickets["create"]["body"], body);
    let actions = ["close", "reopen", "solve"].map(|action| format!("/v1/tickets/{{id}}/{action}"));
    assert_eq!(tickets["actions"], json!(actions));
    assert_eq!(
        (&plan["rate"], &plan["writes_percent"]),
        (&json!(12.5), &json!(10.0))
    );
    // Whatever cannot be part of a journey is named.
    let left_out = plan["left_out"].as_array().unwrap();
    for (operation, why) in [
        ("GET /v1/tickets/{id}/events", "stream"),
        ("GET /v1/attachments/{id}", "no list"),
        ("POST /v1/tickets/{id}/attachments", "pattern"),
        ("DELETE /v1/tickets/{id}", "removes"),
    ] {
        let found = left_out.iter().find(|one| one["operation"] == operation);
        let reason = found.map(|one| one["why"].to_string()).unwrap_or_default();
        assert!(reason.contains(why), "{operation}: {left_out:#?}");
    }
}

#[test]
fn journeys_create_only_what_they_can_read_again() {
    let plan = plan(&[]);
    for resource in plan["resources"].as_array().unwrap() {
        let creates = !resource["create"].is_null();
        assert!(!creates || !resource["item"].is_null(), "{resource:#}");
    }
}

#[test]
fn the_files_are_listed_and_mistakes_are_named() {
    let list = run(&["load"]);
    assert_eq!(list.stdout, "plan.json\nk6.js\nlocustfile.py\n", "{list:?}");
    assert_eq!(run(&["load", "--help"]).code, Some(0));
    let url = ["load", "run", "--url", "http://127.0.0.1:9"];
    let user = [&url[..], &["--user", "agent@example.com"]].concat();
    for (words, why) in [
        (&["load", "--tag", "ticket"][..], "tickets"),
        (&["load", "--rate", "0"], "above 0"),
        (&["load", "k6.ts"], "k6.js"),
        (&user, "LOAD_PASSWORD"),
    ] {
        let refused = run(words);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
    // A program that is not installed.
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk")).env("PATH", "/nowhere");
    let missing = url.iter().fold(program, |all, word| all.arg(word)).run();
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("Install locust"), "{missing:?}");
}
