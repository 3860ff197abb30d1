//! Lists of tickets: filters, orders, search, selected fields.

use std::time::Duration;

use serde_json::json;

use crate::support::people::subjects;
use crate::support::{Helpdesk, Join as _};

#[doyen_test::test]
async fn filters_are_combined(app: Helpdesk) {
    let (ann, bob, agent) = (
        app.as_customer().await,
        app.as_customer().await,
        app.as_agent().await,
    );
    ann.opens_with(
        json!({"subject": "a1", "body": "b", "priority": "high", "tags": ["vpn", "mac"]}),
    )
    .await;
    let a2 = ann
        .opens_with(json!({"subject": "a2", "body": "b", "priority": "high", "tags": ["vpn"]}))
        .await
        .text_at("/id");
    bob.opens_with(json!({"subject": "b1", "body": "b", "tags": ["mac"]}))
        .await;
    agent.does("solve", &a2).await.expect(200);
    agent
        .post(format!("/v1/tickets/{a2}/assign"))
        .json(&json!({"assignee": agent.id}))
        .send()
        .await
        .expect(200);
    for (query, expected) in [
        ("sort=created_at".to_owned(), vec!["a1", "a2", "b1"]),
        ("status=open".to_owned(), vec!["a1", "b1"]),
        ("status=solved".to_owned(), vec!["a2"]),
        ("status=closed".to_owned(), vec![]),
        ("priority=high".to_owned(), vec!["a1", "a2"]),
        ("priority=high&status=open".to_owned(), vec!["a1"]),
        ("tag=vpn".to_owned(), vec!["a1", "a2"]),
        ("tag=mac&priority=normal".to_owned(), vec!["b1"]),
        ("tag=none".to_owned(), vec![]),
        (format!("reporter={}", bob.id), vec!["b1"]),
        (format!("assignee={}", agent.id), vec!["a2"]),
        ("assignee=none".to_owned(), vec!["a1", "b1"]),
        (
            format!("reporter={}&assignee=none&tag=vpn", ann.id),
            vec!["a1"],
        ),
    ] {
        let mut found = agent.lists(&query).await;
        found.sort();
        assert_eq!(found, expected, "{query}");
    }
    // The filter of a customer never returns tickets of others.
    assert!(ann.lists(&format!("reporter={}", bob.id)).await.is_empty());
    assert_eq!(bob.lists("").await, ["b1"]);
}

#[doyen_test::test]
async fn lists_have_the_requested_order(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let mut ids = Vec::new();
    for (subject, priority) in [("first", "urgent"), ("second", "low"), ("third", "high")] {
        ids.push(
            ann.opens_with(json!({"subject": subject, "body": "b", "priority": priority}))
                .await
                .text_at("/id"),
        );
        app.clock().advance(Duration::from_secs(1));
    }
    agent.does("solve", &ids[0]).await.expect(200);
    for (sort, expected) in [
        ("created_at", ["first", "second", "third"]),
        ("-created_at", ["third", "second", "first"]),
        ("updated_at", ["second", "third", "first"]),
        ("-updated_at", ["first", "third", "second"]),
        ("priority", ["second", "third", "first"]),
        ("-priority", ["first", "third", "second"]),
    ] {
        assert_eq!(ann.lists(&format!("sort={sort}")).await, expected, "{sort}");
    }
    assert_eq!(
        ann.lists("").await,
        ["third", "second", "first"],
        "the newest first by default"
    );
}

/// The same on both databases for any characters: wildcards have no special meaning.
#[doyen_test::test]
async fn search_is_literal(app: Helpdesk) {
    let ann = app.as_customer().await;
    for (subject, body) in [
        ("Drucker brennt", "ÜBERALL Rauch"),
        ("100% sure", "under_score"),
        ("back\\slash", "quote ' and \" here"),
        ("ΣΊΣΥΦΟΣ", "İstanbul"),
    ] {
        ann.opens_with(json!({"subject": subject, "body": body}))
            .await;
    }
    for (q, expected) in [
        ("drucker", vec!["Drucker brennt"]),
        ("BRENNT", vec!["Drucker brennt"]),
        ("überall", vec!["Drucker brennt"]),
        ("100%", vec!["100% sure"]),
        ("0% s", vec!["100% sure"]),
        ("r_s", vec!["100% sure"]),
        ("k\\s", vec!["back\\slash"]),
        ("' and \"", vec!["back\\slash"]),
        ("'; DROP TABLE tickets; --", vec![]),
        ("nowhere", vec![]),
    ] {
        let page = ann
            .get("/v1/tickets")
            .query("q", q)
            .send()
            .await
            .expect(200);
        assert_eq!(subjects(&page), expected, "{q}");
    }
}

/// Fewer than three characters are the beginning of a word in the subject.
#[doyen_test::test]
async fn a_short_search_finds_beginnings_of_words(app: Helpdesk) {
    let ann = app.as_customer().await;
    for subject in [
        "Printer on fire",
        "Reprint",
        "Re:print (pr2) \"äpfel\"",
        "a\tpx-py_pz/pa.pb,pc;pd<pe'pf#pg@ph&pi+pj=pk[pl",
        "100% %x",
    ] {
        ann.opens_with(json!({"subject": subject, "body": "private\npq"}))
            .await;
        app.clock().advance(Duration::from_secs(1));
    }
    let finds = async |q: &str, numbers: &[usize]| {
        for sort in ["created_at", "priority"] {
            let page = ann
                .get(format!("/v1/tickets?sort={sort}&page=1"))
                .query("q", q)
                .send()
                .await
                .expect(200);
            let found: Vec<usize> = page.json()["items"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| {
                    let subject = item["subject"].as_str().unwrap_or_default();
                    ["Pri", "Rep", "Re:", "a\t", "100"]
                        .iter()
                        .position(|start| subject.starts_with(start))
                        .unwrap_or(9)
                })
                .collect();
            assert_eq!(found, numbers, "{q} in the order {sort}");
            assert_eq!(page.at("/page/total"), numbers.len());
        }
    };
    finds("p", &[0, 2, 3]).await;
    finds("PR", &[0, 2]).await;
    finds("r", &[1, 2]).await;
    finds("o", &[0]).await;
    finds("Ä", &[2]).await;
    finds("äp", &[2]).await;
    finds("(p", &[0, 2, 3]).await;
    for last in "xyzabcdefghijkl".chars() {
        finds(&format!("p{last}"), &[3]).await;
    }
    finds("%", &[4]).await;
    finds("%x", &[4]).await;
    for nothing in ["pq", "nt", "_", "\\", " ", "--", "zz"] {
        finds(nothing, &[]).await;
    }
}

#[doyen_test::test]
async fn only_the_chosen_fields_are_sent(app: Helpdesk) {
    let ann = app.as_customer().await;
    ann.opens("printer").await;
    let page = ann
        .get("/v1/tickets?fields=subject,status")
        .send()
        .await
        .expect(200);
    assert_eq!(
        page.at("/items/0"),
        json!({"subject": "printer", "status": "open"})
    );
    let wrong = ann
        .get("/v1/tickets?fields=subject,password,subject")
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(wrong.failures(), ["/fields one_of", "/fields unique"]);
}

#[doyen_test::test]
async fn null_fields_are_left_out_on_request(app: Helpdesk) {
    let ann = app.as_customer().await;
    ann.opens("printer").await;
    let first = async |query: &str| {
        let page = ann.get(format!("/v1/tickets{query}")).send().await;
        page.expect(200).at("/items/0")
    };
    let mut whole = first("").await;
    let removed = whole.as_object_mut().unwrap().remove("assignee");
    assert_eq!(removed, Some(json!(null)));
    assert_eq!(first("?nulls=omit").await, whole);
    assert_eq!(
        first("?fields=subject,assignee&nulls=omit").await,
        json!({"subject": "printer"})
    );
    let wrong = ann.get("/v1/tickets?nulls=keep").send().await;
    let wrong = wrong.expect_problem(422, "invalid");
    assert_eq!(wrong.failures(), ["/nulls one_of"]);
}

/// A misspelt filter must not return the unfiltered list.
#[doyen_test::test]
async fn unknown_filters_are_refused(app: Helpdesk) {
    let ann = app.as_customer().await;
    for (query, failures) in [
        ("stauts=open", vec!["/stauts unknown_parameter"]),
        (
            "status=OPEN&priority=",
            vec!["/priority one_of", "/status one_of"],
        ),
        ("sort=subject", vec!["/sort one_of"]),
        ("limit=0", vec!["/limit range"]),
        ("limit=101", vec!["/limit range"]),
        ("limit=ten", vec!["/limit type"]),
        ("assignee=me", vec!["/assignee pattern"]),
        ("q=", vec!["/q length"]),
        ("status=open&status=closed", vec!["/status repeated"]),
    ] {
        let answer = ann
            .get(format!("/v1/tickets?{query}"))
            .send()
            .await
            .expect_problem(422, "invalid");
        assert_eq!(answer.failures(), failures, "{query}\n\n{answer}");
    }
}
