//! Duplicates that run at the same time, on one node and on two.

use std::sync::Arc;

use doyen_test::Backend;
use futures_util::future::join_all;

use crate::app::{Gate, Shop, is_replayed, keyed, order, orders, setup};

#[doyen_test::test]
async fn fifty_duplicates_have_one_effect(app: Shop) {
    let tasks = (0..50).map(|_| {
        let call = order(&app, "k", "tea");
        tokio::spawn(call.send())
    });
    let mut ids = Vec::new();
    for answer in join_all(tasks).await {
        let answer = answer.unwrap();
        match answer.status() {
            201 => ids.push(answer.text_at("/id")),
            _ => {
                let answer = answer.expect_problem(409, "idempotency_in_flight");
                assert!(answer.header("retry-after").is_some());
            }
        }
    }
    assert!(!ids.is_empty());
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(orders(&app).await, 1);
    assert!(is_replayed(
        &order(&app, "k", "tea").send().await.expect(201)
    ));
}

#[doyen_test::test]
async fn fifty_duplicates_on_two_nodes_have_one_effect(app: Shop) {
    let other = app.another(setup()).await;
    for round in 0..4 {
        let key = format!("k-{round}");
        let tasks = (0..50).map(|index| {
            let node = if index % 2 == 0 { &*app } else { &other };
            tokio::spawn(order(node, &key, "tea").send())
        });
        let mut ids = Vec::new();
        for answer in join_all(tasks).await {
            let answer = answer.unwrap();
            match answer.status() {
                201 => ids.push(answer.text_at("/id")),
                _ => drop(answer.expect_problem(409, "idempotency_in_flight")),
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(orders(&app).await, round + 1);
    }
}

#[doyen_test::test]
async fn a_duplicate_of_a_running_request_is_refused_at_once(app: Shop) {
    let gate = Gate::of(&app).await;
    let first = tokio::spawn(keyed(&app, "/slow", "k", "tea").send());
    gate.arrival().await;
    let second = keyed(&app, "/slow", "k", "tea").send().await;
    let second = second.expect_problem(409, "idempotency_in_flight");
    assert_eq!(second.header("retry-after"), Some("1"));
    keyed(&app, "/slow", "k", "milk")
        .send()
        .await
        .expect_problem(422, "idempotency_key_reused");
    gate.open(1);
    first.await.unwrap().expect(201);
    assert!(is_replayed(
        &keyed(&app, "/slow", "k", "tea").send().await.expect(201)
    ));
}

/// The second node sees the marker of the first.
#[doyen_test::test(postgres)]
async fn another_node_refuses_a_duplicate_at_once(app: Shop) {
    let other = app.another(setup()).await;
    let gate = Gate::of(&app).await;
    let first = tokio::spawn(keyed(&app, "/slow", "k", "tea").send());
    gate.arrival().await;
    let second = keyed(&other, "/slow", "k", "tea").send().await;
    let second = second.expect_problem(409, "idempotency_in_flight");
    assert_eq!(second.header("retry-after"), Some("3"));
    let third = keyed(&other, "/slow", "k", "milk").send().await;
    third.expect_problem(422, "idempotency_key_reused");
    gate.open(1);
    first.await.unwrap().expect(201);
    assert!(is_replayed(
        &keyed(&other, "/slow", "k", "tea").send().await.expect(201)
    ));
    assert_eq!(orders(&app).await, 1);
}

/// On SQLite a second process learns of the first only from its row.
#[doyen_test::test(sqlite)]
async fn the_second_of_two_processes_rolls_back_and_replays(app: Shop) {
    assert_eq!(app.backend(), Backend::Sqlite);
    let other = app.another(setup()).await;
    for path in ["/slow", "/unique"] {
        let gates: [Arc<Gate>; 2] = [Gate::of(&app).await, Gate::of(&other).await];
        let key = format!("k{}", path.len());
        let first = tokio::spawn(keyed(&app, path, &key, "tea").send());
        let second = tokio::spawn(keyed(&other, path, &key, "tea").send());
        gates[0].arrival().await;
        gates[1].arrival().await;
        gates[0].open(1);
        let first = first.await.unwrap();
        assert!(!is_replayed(&first));
        // It inserts too, or finds the effect of the first, and must not report either.
        gates[1].open(1);
        let second = second.await.unwrap();
        assert!(is_replayed(&second), "{second}");
        assert_eq!(
            (first.status(), first.bytes()),
            (second.status(), second.bytes())
        );
    }
    assert_eq!(orders(&app).await, 2);
}
