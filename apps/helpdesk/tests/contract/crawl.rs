//! A crawler: as each role, every link of every page and resource can be followed. A link is shown
//! only if the caller may follow it now.

use std::collections::{BTreeSet, VecDeque};

use doyen::domain::Place;
use doyen_test::Answer;
use helpdesk::access::Role;
use serde_json::{Value, json};

use crate::support::{Helpdesk, Join as _, Person};

/// A link: relation, method and target.
type Link = (String, String, String);

#[doyen_test::test]
async fn every_link_can_be_followed_by_each_role(app: Helpdesk) {
    let (customer, agent) = (app.as_customer().await, app.as_agent().await);
    for number in 0..4 {
        let ticket = customer
            .opens(&format!("Ticket {number}"))
            .await
            .text_at("/id");
        customer.says(&ticket, "hello").await.expect(201);
        agent.says(&ticket, "note").await.expect(201);
        // Each state of a ticket has other links.
        match number {
            1 => drop(agent.does("solve", &ticket).await.expect(200)),
            2 => {
                agent.does("solve", &ticket).await.expect(200);
                agent.does("close", &ticket).await.expect(200);
            }
            _ => {}
        }
    }
    let admin = app.as_admin().await;
    for (role, person) in [
        (Role::Customer, &customer),
        (Role::Agent, &agent),
        (Role::Admin, &admin),
    ] {
        let crawled = crawl(&app, person, &agent.id).await;
        assert!(
            crawled.followed.len() >= 10,
            "{role:?}: {:?}",
            crawled.followed
        );
        assert!(crawled.acted >= 4, "{role:?}: {}", crawled.acted);
        assert!(crawled.resources >= 10, "{role:?}: {}", crawled.resources);
    }
}

#[derive(Default)]
struct Crawled {
    followed: BTreeSet<String>,
    acted: usize,
    resources: usize,
}

/// Entries of a log, which nothing can be done with.
const WITHOUT_LINKS: [&str; 1] = ["/v1/security-events"];

/// Checks that every resource in a response has links, and returns their number. A resource is an
/// item of a page, or a body with an id.
fn resources(target: &str, answer: &Answer) -> usize {
    let is_json = answer.header("content-type") == Some("application/json");
    if !is_json || WITHOUT_LINKS.contains(&target.split('?').next().unwrap_or("")) {
        return 0;
    }
    let body = answer.json();
    let items = match body["items"].as_array() {
        Some(items) => items.clone(),
        None if body["id"].is_string() => vec![body],
        None => Vec::new(),
    };
    for item in &items {
        assert!(
            item["_links"].is_object(),
            "no `_links`: GET {target}\n{item}"
        );
    }
    items.len()
}

async fn crawl(app: &Helpdesk, person: &Person, assignee: &str) -> Crawled {
    let mut crawled = Crawled::default();
    let mut queue: VecDeque<String> = start(app);
    let mut actions: BTreeSet<(String, Link)> = BTreeSet::new();
    while let Some(target) = queue.pop_front() {
        if !crawled.followed.insert(target.clone()) {
            continue;
        }
        let answer = person.get(&target).send().await;
        let is_start = start(app).contains(&target);
        if is_start && matches!(answer.status(), 403 | 404) {
            continue;
        }
        assert!(answer.status() < 400, "GET {target}\n{answer}");
        crawled.resources += resources(&target, &answer);
        for link in links(&answer) {
            match link.1.as_str() {
                "GET" => queue.push_back(link.2),
                _ => drop(actions.insert((target.clone(), link))),
            }
        }
    }
    // The resource first, as earlier actions change which are possible. Deletion comes last.
    let is_last = |(_, (rel, method, _)): &&(String, Link)| method == "DELETE" || rel == "close";
    let (last, first): (Vec<_>, Vec<_>) = actions.iter().partition(is_last);
    for (page, link) in first.into_iter().chain(last) {
        let shown = person.get(page).send().await;
        if shown.status() == 200 && links(&shown).contains(link) {
            crawled.acted += 1;
            follow(person, &shown, link, assignee).await;
        }
    }
    crawled
}

/// Every GET without a path parameter, alone and with both kinds of pages.
fn start(app: &Helpdesk) -> VecDeque<String> {
    let mut all = VecDeque::new();
    for operation in app.operations() {
        if operation.method != "GET" || operation.path.contains('{') || operation.hidden {
            continue;
        }
        all.push_back(operation.path.clone());
        let has = |name: &str| {
            let mut parameters = operation.parameters.iter();
            parameters.any(|one| one.place == Place::Query && one.name == name)
        };
        if has("cursor") {
            all.push_back(format!("{}?limit=2", operation.path));
        }
        if has("per_page") {
            all.push_back(format!("{}?page=1&per_page=2", operation.path));
        }
    }
    all
}

/// The links in a response: those of `_links` at any depth, and those of the header.
fn links(answer: &Answer) -> Vec<Link> {
    let mut found = Vec::new();
    let is_json = answer
        .header("content-type")
        .is_some_and(|media| media.contains("json"));
    if is_json {
        collect(&answer.json(), &mut found);
    }
    for link in answer.header("link").unwrap_or("").split(',') {
        if let Some((target, _)) = link
            .trim()
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
        {
            found.push(("link".to_owned(), "GET".to_owned(), target.to_owned()));
        }
    }
    found
}

fn collect(value: &Value, found: &mut Vec<Link>) {
    match value {
        Value::Object(members) => {
            for (rel, link) in members
                .get("_links")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let method = link["method"].as_str().unwrap_or("GET");
                let href = link["href"].as_str().unwrap_or_default();
                found.push((rel.clone(), method.to_owned(), href.to_owned()));
            }
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Follows a link that changes something. A request that needs a body which this test does not know
/// may be invalid, but must be permitted.
async fn follow(person: &Person, page: &Answer, (rel, method, target): &Link, assignee: &str) {
    let call = person.request(method, target);
    let call = match (method.as_str(), rel.as_str()) {
        ("PATCH", _) => {
            // The tag of the resource itself; a page has others.
            let own = person.get(target).send().await;
            let tag = own.header("etag").unwrap_or("\"1\"").to_owned();
            call.if_match(tag).merge_patch(&json!({}))
        }
        (_, "assign") => call.json(&json!({"assignee": assignee})),
        (_, "comment") => call.json(&json!({"body": "followed"})),
        (_, "delete" | "solve" | "close" | "reopen") => call,
        ("POST" | "PUT", _) => call.json(&json!({})),
        _ => call,
    };
    let answer = call.send().await;
    let is_known = [
        "edit", "assign", "comment", "delete", "solve", "close", "reopen",
    ];
    if is_known.contains(&rel.as_str()) {
        assert!(
            answer.status() < 300,
            "{rel}: {method} {target}\n{answer}\nshown by\n{page}"
        );
    }
    assert!(
        !matches!(answer.status(), 401 | 403 | 404 | 405),
        "{rel}: {method} {target}\n{answer}\nshown by\n{page}"
    );
}
