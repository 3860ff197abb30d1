//! The marker of a killed process, and a process that was only slow.

use doyen::domain::secs;

use crate::app::{Gate, Shop, is_replayed, keyed, order, orders, setup};

/// What a process leaves that was killed before its commit.
async fn orphan_marker(app: &Shop) {
    let gate = Gate::of(app).await;
    let first = tokio::spawn(keyed(app, "/slow", "k", "tea").send());
    gate.arrival().await;
    // Copied, because the end of the task deletes the marker.
    app.execute("CREATE TABLE copy AS SELECT * FROM idempotency_records", [])
        .await;
    first.abort();
    assert!(first.await.is_err());
    while app.count("idempotency_records").await > 0 {
        tokio::task::yield_now().await;
    }
    app.execute("INSERT INTO idempotency_records SELECT * FROM copy", [])
        .await;
}

#[doyen_test::test(postgres)]
async fn the_key_of_a_killed_process_is_free_after_the_lease(app: Shop) {
    orphan_marker(&app).await;
    let gate = Gate::of(&app).await;
    let other = app.another(setup()).await;
    gate.open(1);
    for node in [&*app, &other] {
        let early = keyed(node, "/slow", "k", "tea").send().await;
        let early = early.expect_problem(409, "idempotency_in_flight");
        assert_eq!(early.header("retry-after"), Some("3"));
    }
    app.clock().advance(secs(3));
    let taken = keyed(&app, "/slow", "k", "tea").send().await.expect(201);
    assert!(!is_replayed(&taken));
    assert_eq!(orders(&app).await, 1);
    assert!(is_replayed(
        &keyed(&other, "/slow", "k", "tea").send().await.expect(201)
    ));
}

/// The process was not killed: its lease ended because it could not renew it.
#[doyen_test::test(postgres)]
async fn a_slow_process_that_lost_its_lease_rolls_back(app: Shop) {
    let other = app.another(setup().set("idempotency.lease", "5m")).await;
    let gates = [Gate::of(&app).await, Gate::of(&other).await];
    let first = tokio::spawn(keyed(&app, "/slow", "k", "tea").send());
    gates[0].arrival().await;
    // The lease has ended for both, whatever the task of the first renews meanwhile.
    app.execute("UPDATE idempotency_records SET expires_at = 0", [])
        .await;
    let second = tokio::spawn(keyed(&other, "/slow", "k", "tea").send());
    gates[1].arrival().await;
    // The first must not commit, although it is the first to come to the end.
    gates[0].open(1);
    let first = first.await.unwrap();
    first.expect_problem(409, "idempotency_in_flight");
    assert_eq!(orders(&app).await, 0);
    gates[1].open(1);
    let second = second.await.unwrap().expect(201);
    assert!(!is_replayed(&second));
    assert_eq!(orders(&app).await, 1);
    assert!(is_replayed(
        &keyed(&app, "/slow", "k", "tea").send().await.expect(201)
    ));
}

/// The clock of the application stands at the end of the lease, and the task renews it all the
/// same.
#[doyen_test::test(postgres)]
async fn a_long_request_keeps_its_key(app: Shop) {
    let other = app.another(setup()).await;
    let gate = Gate::of(&app).await;
    let first = tokio::spawn(keyed(&app, "/slow", "k", "tea").send());
    gate.arrival().await;
    for _ in 0..2 {
        app.clock().advance(secs(2));
        let now = doyen::prelude::Clock::now(app.clock()).micros() / 1000;
        let renewed = "UPDATE idempotency_records SET response = response WHERE expires_at > $1";
        while app.execute(renewed, [(now + 2000).into()]).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    let second = keyed(&other, "/slow", "k", "tea").send().await;
    second.expect_problem(409, "idempotency_in_flight");
    gate.open(1);
    assert!(!is_replayed(&first.await.unwrap().expect(201)));
    assert_eq!(orders(&app).await, 1);
}

/// On one SQLite process, a restart forgets what ran, and the uncommitted effect is gone too.
#[doyen_test::test]
async fn a_restart_after_the_commit_replays(app: Shop) {
    let first = order(&app, "k", "tea").send().await.expect(201);
    let restarted = app.another(setup()).await;
    let again = order(&restarted, "k", "tea").send().await.expect(201);
    assert!(is_replayed(&again));
    assert_eq!(again.bytes(), first.bytes());
}
