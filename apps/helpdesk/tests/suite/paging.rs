//! A list is complete and without duplicates during concurrent writes, and a cursor is bound to its
//! list.

use std::collections::BTreeSet;
use std::time::Duration;

use doyen_test::Answer;
use serde_json::{Value, json};

use crate::support::people::{subjects, texts};
use crate::support::{Helpdesk, Join as _, Person};

/// The address of a relation in a page.
fn link(page: &Answer, rel: &str) -> Option<String> {
    page.json()["_links"].get(rel)?["href"]
        .as_str()
        .map(str::to_owned)
}

async fn open(person: &Person, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(person.opens(&format!("ticket {n}")).await.text_at("/id"));
    }
    ids
}

/// All tickets have the same creation time, so that the order depends on the id alone. Between any
/// two pages others create and delete tickets, before and after the position of the reader.
#[doyen_test::test]
async fn reading_all_pages_loses_and_repeats_nothing(app: Helpdesk) {
    let (ann, admin) = (app.as_customer().await, app.as_admin().await);
    for sort in ["created_at", "-created_at", "priority", "-priority"] {
        let all = open(&ann, 40).await;
        let (mut seen, mut deleted): (Vec<String>, BTreeSet<String>) = Default::default();
        let mut next = Some(format!("/v1/tickets?sort={sort}&limit=7&fields=id"));
        while let Some(address) = next {
            let page = ann.get(&address).send().await.expect(200);
            seen.extend(texts(&page, "id"));
            next = link(&page, "next");
            // One that was read, the last of them (the cursor points at it), and one that was not.
            let unread = all
                .iter()
                .find(|id| !seen.contains(id) && !deleted.contains(*id));
            for id in [seen.first(), seen.last(), unread]
                .into_iter()
                .flatten()
                .cloned()
                .collect::<BTreeSet<_>>()
            {
                if deleted.insert(id.clone()) {
                    admin
                        .delete(format!("/v1/tickets/{id}"))
                        .send()
                        .await
                        .expect(204);
                }
            }
            ann.opens("while you read").await;
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{sort}: something was shown twice");
        let lost: Vec<&String> = all
            .iter()
            .filter(|id| !seen.contains(id) && !deleted.contains(*id))
            .collect();
        assert!(lost.is_empty(), "{sort}: {lost:?}");
        app.execute("DELETE FROM tickets", []).await;
    }
}

#[doyen_test::test]
async fn backward_pages_equal_forward_pages(app: Helpdesk) {
    let ann = app.as_customer().await;
    open(&ann, 10).await;
    let mut there = vec![
        ann.get("/v1/tickets?limit=3&sort=created_at")
            .send()
            .await
            .expect(200),
    ];
    while let Some(next) = there.last().and_then(|page| link(page, "next")) {
        there.push(ann.get(next).send().await.expect(200));
    }
    assert_eq!(
        there
            .iter()
            .map(|page| subjects(page).len())
            .collect::<Vec<_>>(),
        [3, 3, 3, 1]
    );
    assert!(link(&there[0], "prev").is_none());
    let mut back = there[3].clone();
    for page in there.iter().rev().skip(1) {
        back = ann
            .get(link(&back, "prev").unwrap_or_else(|| panic!("no way back\n\n{back}")))
            .send()
            .await
            .expect(200);
        assert_eq!(subjects(&back), subjects(page));
    }
    assert!(link(&back, "prev").is_none(), "{back}");
    assert_eq!(
        subjects(
            &ann.get(link(&back, "first").unwrap())
                .send()
                .await
                .expect(200)
        ),
        subjects(&there[0])
    );
}

/// `Link` and `_links` are equal, and `page.next` is the cursor in them.
#[doyen_test::test]
async fn link_header_and_body_links_are_equal(app: Helpdesk) {
    let ann = app.as_customer().await;
    open(&ann, 5).await;
    for query in ["limit=2&status=open", "page=2&per_page=2&status=open"] {
        let page = ann
            .get(format!("/v1/tickets?{query}"))
            .send()
            .await
            .expect(200);
        let links = page.at("/_links");
        let header = page.header("link").unwrap().to_owned();
        for (rel, link) in links.as_object().unwrap() {
            let address = link["href"].as_str().unwrap();
            assert!(
                header.contains(&format!("<{address}>; rel=\"{rel}\"")),
                "{rel} is not in {header}"
            );
            assert!(
                address.contains("status=open"),
                "{rel} forgets the filter: {address}"
            );
            ann.get(address).send().await.expect(200);
        }
        let next = page.text_at("/page/next");
        assert!(
            links["next"]["href"].as_str().unwrap().contains(&next),
            "{page}"
        );
    }
}

#[doyen_test::test]
async fn numbered_pages_have_a_total(app: Helpdesk) {
    let ann = app.as_customer().await;
    let page = ann
        .get("/v1/tickets?page=1&per_page=2")
        .send()
        .await
        .expect(200);
    assert_eq!(
        (page.at("/page/total"), page.at("/items")),
        (json!(0), json!([]))
    );
    open(&ann, 5).await;
    let mut all = Vec::new();
    for number in 1..=3 {
        let page = ann
            .get(format!(
                "/v1/tickets?page={number}&per_page=2&sort=created_at"
            ))
            .send()
            .await
            .expect(200);
        assert_eq!(page.at("/page/total"), 5);
        assert_eq!(
            (link(&page, "next").is_some(), link(&page, "prev").is_some()),
            (number < 3, number > 1)
        );
        all.extend(subjects(&page));
    }
    assert_eq!(
        all,
        ["ticket 0", "ticket 1", "ticket 2", "ticket 3", "ticket 4"]
    );
    let beyond = ann
        .get("/v1/tickets?page=9&per_page=2")
        .send()
        .await
        .expect(200);
    assert_eq!(beyond.at("/items"), json!([]));
    for query in [
        "page=0",
        "page=1&per_page=101",
        "page=-1",
        "page=99999999999",
        "page=1&cursor=x",
    ] {
        let answer = ann.get(format!("/v1/tickets?{query}")).send().await;
        assert!(matches!(answer.status(), 400 | 422), "{query}\n\n{answer}");
    }
}

#[doyen_test::test]
async fn a_changed_cursor_is_refused_whatever_was_changed(app: Helpdesk) {
    let ann = app.as_customer().await;
    open(&ann, 3).await;
    let cursor = ann
        .get("/v1/tickets?limit=1")
        .send()
        .await
        .expect(200)
        .text_at("/page/next");
    let ask = async |cursor: &str| {
        ann.get("/v1/tickets?limit=1")
            .query("cursor", cursor)
            .send()
            .await
    };
    ask(&cursor).await.expect(200);
    for at in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        ask(&changed).await.expect_problem(400, "invalid_cursor");
    }
    for wrong in [
        "",
        "x",
        "=",
        &cursor[1..],
        &cursor[..cursor.len() - 1],
        &format!("{cursor}A"),
        &"A".repeat(1000),
        "ü",
        "\0",
    ] {
        let answer = ask(wrong).await;
        assert!(
            matches!(answer.status(), 400 | 422),
            "{wrong:?}\n\n{answer}"
        );
    }
}

/// A cursor belongs to one list: filter, order and reader.
#[doyen_test::test]
async fn a_cursor_of_another_list_is_refused(app: Helpdesk) {
    let (ann, bob, agent) = (
        app.as_customer().await,
        app.as_customer().await,
        app.as_agent().await,
    );
    open(&ann, 3).await;
    open(&bob, 3).await;
    let cursor = ann
        .get("/v1/tickets?limit=1&status=open")
        .send()
        .await
        .expect(200)
        .text_at("/page/next");
    let ask = async |who: &Person, query: &str| {
        who.get(format!("/v1/tickets?limit=1&{query}"))
            .query("cursor", &cursor)
            .send()
            .await
    };
    ask(&ann, "status=open").await.expect(200);
    for query in [
        "",
        "status=solved",
        "status=open&priority=normal",
        "status=open&sort=created_at",
        "status=open&q=ticket",
    ] {
        ask(&ann, query).await.expect_problem(400, "invalid_cursor");
    }
    for other in [&bob, &agent] {
        ask(other, "status=open")
            .await
            .expect_problem(400, "invalid_cursor");
    }
    agent
        .get("/v1/users?limit=1")
        .query("cursor", &cursor)
        .send()
        .await
        .expect_problem(400, "invalid_cursor");
    // Other page sizes are the same list, and another node reads it too.
    let more = ann
        .get("/v1/tickets?limit=100&status=open")
        .query("cursor", &cursor)
        .send()
        .await
        .expect(200);
    assert_eq!(subjects(&more).len(), 2);
    let node = app.another(crate::support::patient()).await;
    node.get("/v1/tickets?limit=1&status=open")
        .query("cursor", &cursor)
        .bearer(&ann.token)
        .send()
        .await
        .expect(200);
}

#[doyen_test::test]
async fn comments_and_users_are_paged_alike(app: Helpdesk) {
    let (ann, agent) = (app.as_customer().await, app.as_agent().await);
    let ticket = ann.opens("printer").await.text_at("/id");
    let output: Vec<String> = (0..9).map(|n| format!("word {n}")).collect();
    for text in &output {
        ann.says(&ticket, text).await.expect(201);
        app.clock().advance(Duration::from_micros(1));
    }
    for _ in 0..5 {
        app.as_customer().await;
    }
    let walk = async |start: String, field: &str| {
        let (mut seen, mut next) = (Vec::new(), Some(start));
        while let Some(address) = next {
            let page = agent.get(address).send().await.expect(200);
            seen.extend(texts(&page, field));
            next = link(&page, "next");
        }
        seen
    };
    assert_eq!(
        walk(format!("/v1/tickets/{ticket}/comments?limit=2"), "body").await,
        output
    );
    let users = walk("/v1/users?limit=2".to_owned(), "id").await;
    assert_eq!(
        (users.len(), users.iter().collect::<BTreeSet<_>>().len()),
        (7, 7)
    );
    let nothing: Value = json!([]);
    assert_eq!(
        agent
            .get("/v1/users?role=admin")
            .send()
            .await
            .expect(200)
            .at("/items"),
        nothing
    );
}
