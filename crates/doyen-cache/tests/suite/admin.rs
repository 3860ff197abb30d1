//! What an operator reads and evicts on the admin address.

use doyen::prelude::*;
use doyen::web::Body;
use doyen_test::{RedisServer, TestApp};
use serde_json::{Value, json};

use crate::kit::{Cached, Loads, Node, impatient, until_async, with_redis};

const BOOKS: CachePolicy = CachePolicy::new("books", secs(600));
const USERS: CachePolicy = CachePolicy::new("users", secs(600));

/// Sends a request to the admin listener. Returns the status and the body.
async fn send(app: &TestApp, method: &str, path: &str, body: &str) -> (u16, Value) {
    send_as(app, method, path, "application/json", body).await
}

async fn send_as(
    app: &TestApp,
    method: &str,
    path: &str,
    media_type: &str,
    body: &str,
) -> (u16, Value) {
    let request = http::Request::builder().method(method).uri(path);
    let request = request.header("content-type", media_type);
    let request = request.body(Body::whole(body.to_owned())).unwrap();
    let admin = app.runtime().admin().expect("an admin listener");
    let response = Box::pin(admin.handle(request, None)).await;
    let status = response.status().as_u16();
    let text = response.body().as_whole().expect("a whole body");
    (status, serde_json::from_slice(text).unwrap())
}

async fn get(app: &TestApp, path: &str) -> Value {
    let (status, body) = send(app, "GET", path, "").await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Evicts. Returns the reach.
async fn evict(app: &TestApp, what: Value) -> String {
    let (status, body) = send(app, "POST", "/caches/evict", &what.to_string()).await;
    assert_eq!(status, 200, "{what}: {body}");
    body["reach"].as_str().unwrap().to_owned()
}

/// The keys that the address lists.
async fn keys(app: &TestApp, query: &str) -> Vec<String> {
    let found = get(app, &format!("/caches/entries?{query}")).await;
    let entries = found["entries"].as_array().unwrap().iter();
    let mut keys: Vec<_> = entries
        .map(|one| one["key"].as_str().unwrap().to_owned())
        .collect();
    keys.sort();
    keys
}

/// Reads a value, and loads `value` if needed.
async fn read(node: &Node, policy: &CachePolicy, id: u32, value: u32) -> u32 {
    let entry = node.cache.shared().entry(policy, id);
    let entry = entry.tag("all").tag(format!("one:{id}").as_str());
    Loads::open().read(entry, value).await
}

#[doyen_test::test]
async fn an_operator_sees_what_the_cache_holds(app: Cached) {
    let node = Node::of(&app).await;
    for id in 1..=3 {
        read(&node, &BOOKS, id, id).await;
    }
    read(&node, &USERS, 7, 7).await;
    for _ in 0..5 {
        assert_eq!(read(&node, &BOOKS, 1, 9).await, 1);
    }
    let all = get(&app, "/caches").await;
    let process = &all["process"];
    assert_eq!(process["entries"], 4);
    assert_eq!(
        (&process["hits"], &process["misses"]),
        (&json!(5), &json!(4))
    );
    assert_eq!(process["max_bytes"], 1_000_000);
    assert_eq!(process["max_entry_bytes"], 10_000);
    assert!(process["bytes"].as_u64() > Some(1_000), "{all}");
    assert_eq!(all["redis"], Value::Null);
    let policies = all["policies"].as_array().unwrap();
    let [books, users] = &policies[..] else {
        panic!("{all}");
    };
    assert_eq!(
        (&books["name"], &books["entries"]),
        (&json!("books"), &json!(3))
    );
    assert_eq!((&books["hits"], &books["misses"]), (&json!(5), &json!(3)));
    assert_eq!(
        (&users["name"], &users["entries"]),
        (&json!("users"), &json!(1))
    );
    assert_eq!((&users["hits"], &users["misses"]), (&json!(0), &json!(1)));

    assert_eq!(keys(&app, "").await.len(), 4);
    let [user] = &keys(&app, "policy=users").await[..] else {
        panic!("one user");
    };
    assert!(user.contains("users") && user.ends_with(".7"), "{user}");
    assert_eq!(keys(&app, "search=books&limit=10").await.len(), 3);
    let some = get(&app, "/caches/entries?policy=books&limit=2").await;
    assert_eq!(some["has_more"], true);
    assert_eq!(some["entries"].as_array().unwrap().len(), 2);
    let fresh = some["entries"][0]["fresh_seconds"].as_f64();
    assert!(fresh > Some(500.0), "{some}");
    assert_eq!(keys(&app, "policy=nothing").await, [""; 0]);
    // The report for an issue has the figures and no keys.
    let report = get(&app, "/diagnostics").await;
    assert_eq!(report["caches"]["process"]["entries"], 4);
    assert!(!report.to_string().contains(user.as_str()));
}

#[doyen_test::test(sqlite)]
async fn an_operator_evicts_a_key_a_tag_and_everything(app: Cached) {
    let node = Node::of(&app).await;
    let fill = async || {
        for id in 1..=3 {
            read(&node, &BOOKS, id, 1).await;
        }
        read(&node, &USERS, 7, 1).await;
    };
    fill().await;
    let book = keys(&app, "policy=books&search=.2").await.remove(0);
    assert_eq!(evict(&app, json!({"key": book})).await, "this_process");
    assert_eq!(keys(&app, "").await.len(), 3);
    assert_eq!(read(&node, &BOOKS, 2, 2).await, 2);
    assert_eq!(read(&node, &BOOKS, 1, 2).await, 1);

    assert_eq!(evict(&app, json!({"tag": "one:7"})).await, "this_process");
    assert_eq!(read(&node, &USERS, 7, 3).await, 3);
    assert_eq!(read(&node, &BOOKS, 1, 3).await, 1);

    assert_eq!(evict(&app, json!({"all": true})).await, "this_process");
    // The memory is free, too.
    let all = get(&app, "/caches").await;
    assert_eq!(all["process"]["entries"], 0, "{all}");
    assert_eq!(all["process"]["bytes"], 0, "{all}");
    assert_eq!(read(&node, &BOOKS, 1, 4).await, 4);
    assert_eq!(read(&node, &USERS, 7, 4).await, 4);
    // A key that does not exist is evicted too: another process may have it.
    assert_eq!(evict(&app, json!({"key": "nothing"})).await, "this_process");
}

#[doyen_test::test(sqlite)]
async fn a_load_that_began_before_the_eviction_is_not_kept(app: Cached) {
    let node = Node::of(&app).await;
    let slow = Loads::held();
    let reader = slow.reading(node.entry(&BOOKS), 1);
    crate::kit::until("it loads", || slow.count() == 1).await;
    evict(&app, json!({"all": true})).await;
    slow.release();
    assert_eq!(reader.await.unwrap(), 1);
    assert_eq!(Loads::open().read(node.entry(&BOOKS), 2).await, 2);
}

#[doyen_test::test(sqlite)]
async fn a_mistake_of_an_operator_is_a_problem_and_evicts_nothing(app: Cached) {
    let node = Node::of(&app).await;
    read(&node, &BOOKS, 1, 1).await;
    let both = json!({"tag": "all", "all": true});
    for (body, code, part) in [
        (json!({}), 400, "invalid_eviction"),
        (both, 400, "invalid_eviction"),
        (json!({"all": false}), 400, "invalid_eviction"),
        (json!({"tag": ""}), 422, "/tag"),
        (json!({"tags": "all"}), 422, "/tags"),
        (json!({"all": "yes"}), 422, "/all"),
    ] {
        let (status, problem) = send(&app, "POST", "/caches/evict", &body.to_string()).await;
        assert_eq!(status, code, "{body}: {problem}");
        assert!(problem.to_string().contains(part), "{problem}");
    }
    for (path, code) in [
        ("/caches/entries?limit=0", 422),
        ("/caches/entries?limit=1001", 422),
        ("/caches/entries?page=2", 422),
        ("/caches/evict", 405),
    ] {
        assert_eq!(send(&app, "GET", path, "").await.0, code, "{path}");
    }
    // What a page of another origin can send without asking first.
    let all = "{\"all\": true}";
    let (status, problem) = send_as(&app, "POST", "/caches/evict", "text/plain", all).await;
    assert_eq!(status, 415, "{problem}");
    assert_eq!(app.get("/caches").send().await.status(), 404);
    assert_eq!(keys(&app, "").await.len(), 1);
}

#[doyen_test::test(sqlite)]
async fn an_eviction_reaches_all_nodes(app: Cached) {
    let server = RedisServer::start();
    let one = Node::another(&app, with_redis(&server)).await;
    let two = Node::another(&app, with_redis(&server)).await;
    assert_eq!(get(&one.app, "/caches").await["redis"]["state"], "ok");
    let mut value = 0;
    for what in [
        json!({"tag": "all"}),
        json!({"all": true}),
        json!({"key": ""}),
    ] {
        value += 10;
        // Both have the same value in memory.
        until_async("both have the value", async || {
            read(&one, &BOOKS, 1, value).await == value
                && read(&two, &BOOKS, 1, value).await == value
        })
        .await;
        let mut what = what;
        if what["key"].is_string() {
            what["key"] = json!(keys(&one.app, "policy=books").await.remove(0));
        }
        assert_eq!(evict(&one.app, what.clone()).await, "all_processes");
        // Neither this node nor Redis has it.
        assert_eq!(read(&one, &BOOKS, 1, value + 1).await, value + 1, "{what}");
        until_async("the other node reads the new value", async || {
            read(&two, &BOOKS, 1, value + 2).await == value + 1
        })
        .await;
        evict(&two.app, json!({"all": true})).await;
    }
}

#[doyen_test::test(sqlite)]
async fn an_eviction_without_redis_is_sent_when_it_is_back(app: Cached) {
    let server = RedisServer::start();
    let one = Node::another(&app, impatient(&server)).await;
    let two = Node::another(&app, impatient(&server)).await;
    until_async("both have the value", async || {
        read(&one, &BOOKS, 1, 1).await == 1 && read(&two, &BOOKS, 1, 1).await == 1
    })
    .await;
    server.pause();
    assert_eq!(evict(&one.app, json!({"all": true})).await, "pending");
    let state = get(&one.app, "/caches").await["redis"]["state"].clone();
    assert_ne!(state, "ok");
    assert_eq!(read(&one, &BOOKS, 1, 2).await, 2);
    server.resume();
    until_async("the other node has not the old value", async || {
        read(&two, &BOOKS, 1, 3).await != 1
    })
    .await;
}
