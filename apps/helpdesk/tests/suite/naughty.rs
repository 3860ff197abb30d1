//! Text that commonly breaks programs: the Big List of Naughty Strings in every text field,
//! JSONTestSuite in a body.
//!
//! An accepted text comes back byte for byte; a refused one gets a 422; none causes a 5xx.
//! `cargo xtask setup` fetches both lists.

use serde_json::{Value, json};

use crate::support::people::login;
use crate::support::{Helpdesk, Join as _};

/// A file of the npm packages in `tools/package.json`.
fn list(path: &str) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/node_modules/");
    let file = format!("{file}{path}");
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{file}: {error}; `cargo xtask setup` installs it"))
}

fn naughty() -> Vec<String> {
    let strings: Vec<String> = serde_json::from_str(&list("blns/resources/blns.json"))
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        strings.len() >= 485,
        "the list has only {} strings",
        strings.len()
    );
    strings
}

/// Percent-encodes every byte.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// True if text of this length is valid: neither empty nor with NUL.
fn fits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.contains('\0')
}

/// Whether text can be a name: one line, visible, and not turned around.
fn is_name(text: &str) -> bool {
    let forbidden =
        |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let blank = |c: char| {
        c.is_whitespace()
            || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
    };
    !text.contains(forbidden) && !text.chars().all(blank)
}

/// A24: subject and body of a ticket, and search by its subject.
#[doyen_test::test]
async fn a24_naughty_strings_in_a_ticket_come_back_as_they_were(app: Helpdesk) {
    let ann = app.as_customer().await;
    for text in naughty() {
        let new = json!({"subject": text, "body": text});
        let answer = ann.post("/v1/tickets").json(&new).send().await;
        if !fits(&text, 200) {
            answer.expect_problem(422, "invalid");
            continue;
        }
        let ticket = answer.expect(201);
        let seen = ann.get(ticket.location()).send().await.expect(200);
        assert_eq!(seen.at("/subject"), json!(text));
        assert_eq!(seen.at("/body"), json!(text));
        let found = ann
            .get(format!("/v1/tickets?limit=100&q={}", escaped(&text)))
            .send()
            .await;
        let length = text.chars().count();
        // Too long for a search, or too short and not the beginning of a word.
        if length > 100 || (length < 3 && !text.chars().any(char::is_alphanumeric)) {
            continue;
        }
        let found = found.expect(200);
        let items = found.at("/items");
        let items = items.as_array().map(Vec::as_slice).unwrap();
        assert!(
            items.iter().any(|item| item["subject"] == json!(text)) || items.len() == 100,
            "{text:?} is not found: {found}"
        );
        ann.delete(ticket.location()).send().await.expect(403);
    }
}

/// A24: comments.
#[doyen_test::test]
async fn a24_naughty_strings_in_a_comment_come_back_as_they_were(app: Helpdesk) {
    let ann = app.as_customer().await;
    let ticket = ann.opens("naughty").await.text_at("/id");
    for text in naughty() {
        let answer = ann.says(&ticket, &text).await;
        if fits(&text, 20_000) {
            assert_eq!(answer.expect(201).at("/body"), json!(text));
        } else {
            answer.expect_problem(422, "invalid");
        }
    }
}

/// A24: names, in a profile and at registration.
#[doyen_test::test]
async fn a24_naughty_strings_as_a_name_come_back_as_they_were(app: Helpdesk) {
    let ann = app.as_customer().await;
    for text in naughty() {
        let etag = ann.get("/v1/me").send().await.expect(200).etag();
        let answer = ann
            .patch("/v1/me")
            .if_match(etag)
            .merge_patch(&json!({"name": text}))
            .send()
            .await;
        if fits(&text, 100) && is_name(&text) {
            answer.expect(200);
            assert_eq!(
                ann.get("/v1/me").send().await.expect(200).at("/name"),
                json!(text)
            );
        } else {
            answer.expect_problem(422, "invalid");
        }
    }
}

/// A24: a name that forges a line, shows nothing or turns the text around, wherever one is given.
#[doyen_test::test]
async fn a24_a_name_is_visible_and_on_one_line(app: Helpdesk) {
    let (ann, admin) = (app.as_customer().await, app.as_admin().await);
    for name in [
        "a\u{200b}\n",
        "a\r\nb",
        "a\tb",
        "\u{7f}",
        "\u{200b}\u{feff}",
        " ",
        "a\u{202e}txt.exe",
    ] {
        let new = json!({"email": "eve@example.com", "password": "correct horse battery staple", "name": name});
        let register = app.post("/v1/auth/register").json(&new).send().await;
        let etag = ann.get("/v1/me").send().await.expect(200).etag();
        let profile = ann
            .patch("/v1/me")
            .if_match(etag)
            .merge_patch(&json!({"name": name}));
        let user = format!("/v1/users/{}", ann.id);
        let etag = admin.get(&user).send().await.expect(200).etag();
        let edit = admin
            .patch(&user)
            .if_match(etag)
            .merge_patch(&json!({"name": name}));
        let key = json!({"name": name, "scopes": ["tickets:read"]});
        let key = ann.post("/v1/me/api-keys").json(&key);
        for answer in [
            register,
            profile.send().await,
            edit.send().await,
            key.send().await,
        ] {
            assert_eq!(answer.status(), 422, "{name:?}\n{answer}");
            assert_eq!(answer.at("/errors/0/pointer"), json!("/name"));
            assert_eq!(answer.at("/errors/0/code"), json!("display_name"));
        }
    }
}

/// A24: fields with a format accept only that: tags, filters, addresses, ids.
#[doyen_test::test]
async fn a24_naughty_strings_in_fields_with_a_format_are_refused(app: Helpdesk) {
    let ann = app.as_customer().await;
    let is_tag = |text: &str| {
        (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    for (number, text) in naughty().into_iter().enumerate() {
        let new = json!({"subject": "s", "body": "b", "tags": [text]});
        let answer = ann.post("/v1/tickets").json(&new).send().await;
        if is_tag(&text) {
            assert_eq!(answer.expect(201).at("/tags/0"), json!(text));
        } else {
            answer.expect_problem(422, "invalid");
        }
        let escaped = escaped(&text);
        for filter in ["status", "sort", "cursor", "fields"] {
            let answer = ann
                .get(format!("/v1/tickets?{filter}={escaped}"))
                .send()
                .await;
            assert!(
                matches!(answer.status(), 400 | 414 | 422) || text.is_empty(),
                "{filter} {text:?}: {answer}"
            );
        }
        let answer = ann.get(format!("/v1/tickets/{escaped}")).send().await;
        assert!(
            matches!(answer.status(), 400 | 404 | 405 | 414 | 422) || text.is_empty(),
            "{text:?}: {answer}"
        );
        let answer = login(&app, &text, "correct horse battery staple").await;
        assert!(
            matches!(answer.status(), 401 | 422 | 429),
            "{text:?}: {answer}"
        );
        // Each costs a password hash.
        if number % 16 == 0 {
            let answer = login(&app, "unknown@example.com", &text).await;
            assert!(
                matches!(answer.status(), 401 | 422 | 429),
                "{text:?}: {answer}"
            );
        }
    }
}

/// A24: NUL, which PostgreSQL cannot store, and unpaired surrogates, which are no text, are refused
/// alike on both databases.
#[doyen_test::test]
async fn a24_nul_and_unpaired_surrogates_are_refused_in_every_text(app: Helpdesk) {
    let ann = app.as_customer().await;
    for (escape, statuses) in [
        ("\\u0000", &[422][..]),
        ("\\ud83d", &[400]),
        ("\\ude00\\ud83d", &[400]),
    ] {
        for (path, body) in [
            ("/v1/tickets", r#"{"subject": "a@", "body": "b"}"#),
            ("/v1/tickets", r#"{"subject": "a", "body": "b@"}"#),
            (
                "/v1/tickets",
                r#"{"subject": "a", "body": "b", "tags": ["c@"]}"#,
            ),
            (
                "/v1/auth/register",
                r#"{"email": "new-person#example.com", "password": "correct horse battery staple", "name": "n@"}"#,
            ),
        ] {
            let body = body.replace('@', escape).replace('#', "@");
            let answer = ann
                .post(path)
                .body("application/json", body.clone())
                .send()
                .await;
            assert!(statuses.contains(&answer.status()), "{body}: {answer}");
        }
    }
    for query in ["q=%00", "tag=%00", "q=%ff", "q=%ed%a0%80"] {
        let answer = ann.get(format!("/v1/tickets?{query}")).send().await;
        assert!(matches!(answer.status(), 400 | 422), "{query}: {answer}");
    }
}

/// A24: two encodings of one character (NFC, NFD). In text both are stored as sent. An address
/// allows neither, so no two accounts can look alike.
#[doyen_test::test]
async fn a24_nfc_and_nfd_are_two_texts_and_no_address(app: Helpdesk) {
    let ann = app.as_customer().await;
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    for text in [composed, decomposed] {
        assert_eq!(ann.opens(text).await.at("/subject"), json!(text));
        for email in [format!("{text}@example.com"), format!("ann@{text}.example")] {
            let new =
                json!({"email": email, "password": "correct horse battery staple", "name": "Ann"});
            app.post("/v1/auth/register")
                .json(&new)
                .send()
                .await
                .expect_problem(422, "invalid");
        }
    }
    // Capital letters are the only other spelling of an address, and they are the same address.
    let twin = json!({"email": ann.email.to_uppercase(), "password": "correct horse battery staple", "name": "Ann"});
    let status = app
        .post("/v1/auth/register")
        .json(&twin)
        .send()
        .await
        .status();
    assert!(matches!(status, 409 | 202), "{status}");
}

/// A23: valid JSON is parsed, invalid JSON is refused, undefined cases are one or the other;
/// nothing breaks.
///
/// `y_object_duplicated_key` and a similar case are valid JSON, and refused all the same: two
/// parsers would read two values.
#[doyen_test::test(sqlite)]
async fn a23_every_body_of_the_json_test_suite_is_parsed_or_refused(app: Helpdesk) {
    let cases = list("json-test-suite/data/parsing.js");
    let start = cases.find('[').unwrap_or(0);
    let cases: Vec<Value> = serde_json::from_str(cases[start..].trim_end().trim_end_matches(';'))
        .unwrap_or_else(|error| panic!("{error}"));
    let (mut read, mut refused) = (0, 0);
    for case in &cases {
        let (name, input) = (
            case["name"].as_str().unwrap(),
            case["input"].as_str().unwrap(),
        );
        let answer = app
            .post("/v1/auth/login")
            .body("application/json", input)
            .send()
            .await;
        // JSON of another shape is a 422, invalid JSON a 400.
        match (name.get(..2), answer.status()) {
            (Some("y_"), 400) if name.contains("duplicated_key") => {}
            (Some("y_"), 422) => read += 1,
            (Some("n_"), 400) => refused += 1,
            (Some("i_"), 400 | 422) => {}
            (_, status) => panic!("{name} is {status}: {input:?}\n{answer}"),
        }
    }
    assert!(
        read >= 90 && refused >= 180,
        "{read} read, {refused} refused, of {}",
        cases.len()
    );
}
