//! One test suite for every session store, in SQLite, PostgreSQL and Redis.

use std::sync::Arc;
use std::time::Duration;

use doyen::auth::sessions::{
    RedisSessions, Rotation, Seen, SessionId, SessionKind, SessionRecord, SessionStore, SqlSessions,
};
use doyen::data::Session;
use doyen::domain::{Access, Timestamp, Unexpected};
use doyen_test::TestApp;
use redis::aio::ConnectionManager;

use crate::accounts_app::AccountsApp;

fn good<T>(result: Result<T, Unexpected>) -> T {
    result.unwrap_or_else(|error| panic!("{}", error.error()))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_795_336_200_000_000 + seconds * 1_000_000)
}

fn record(subject: &str, began: i64) -> SessionRecord {
    SessionRecord {
        id: SessionId::new(),
        subject: subject.into(),
        kind: SessionKind::Bearer,
        generation: 0,
        name: None,
        agent: Some("Firefox/1 Ω".to_owned()),
        created_at: at(began),
        created_address: Some("192.0.2.1".to_owned()),
        seen_at: at(began),
        seen_address: None,
        idle_until: at(began + 100),
        absolute_until: at(began + 1000),
        ended_at: None,
        counter: 0,
        salt: [1; 32],
        secret_hash: [2; 32],
        previous_hash: None,
        spent_at: None,
    }
}

fn rotation(counter: i64, byte: u8) -> Rotation {
    Rotation {
        counter,
        secret_hash: [byte; 32],
        previous_hash: [2; 32],
        seen: Seen {
            at: at(10),
            address: Some("192.0.2.2".to_owned()),
            idle_until: at(110),
        },
    }
}

/// A store, and units of work on a database that it may join.
struct Place {
    store: Arc<dyn SessionStore>,
    app: TestApp,
}

impl Place {
    /// Runs work in a unit of work that is committed.
    async fn work<T>(
        &self,
        what: impl AsyncFnOnce(&dyn SessionStore, &Session) -> Result<T, Unexpected>,
    ) -> T {
        let session = self.app.database().session(Access::Write);
        let done = good(what(&*self.store, &session).await);
        good(session.commit().await);
        done
    }

    async fn find(&self, id: SessionId) -> Option<SessionRecord> {
        self.work(async |store, work| store.find(work, id).await)
            .await
    }
}

async fn keeps_its_promises(place: &Place) {
    finds_what_was_kept(place).await;
    spends_a_secret_once(place).await;
    spends_nothing_that_changed(place).await;
    ends_once_and_for_all(place).await;
    lists_the_live_ones_of_one_subject(place).await;
}

async fn finds_what_was_kept(place: &Place) {
    let one = SessionRecord {
        kind: SessionKind::Cookie,
        name: Some("phone".to_owned()),
        previous_hash: Some([9; 32]),
        spent_at: Some(at(-5)),
        ..record("usr_find", 0)
    };
    place
        .work(async |store, work| store.insert(work, &one).await)
        .await;
    assert_eq!(place.find(one.id).await, Some(one.clone()));
    assert_eq!(place.find(SessionId::new()).await, None);
    let seen = Seen {
        at: at(60),
        address: None,
        idle_until: at(160),
    };
    let beyond = Seen {
        idle_until: one.absolute_until + Duration::from_secs(1),
        ..seen.clone()
    };
    place
        .work(async |store, work| store.touch(work, one.id, &beyond).await)
        .await;
    let ends = place.find(one.id).await.map(|record| record.idle_until);
    assert_eq!(ends, Some(one.absolute_until));
    place
        .work(async |store, work| store.touch(work, one.id, &seen).await)
        .await;
    let renamed = |subject, name| {
        place.work(async move |store, work| store.rename(work, subject, one.id, name).await)
    };
    assert!(!renamed("usr_other", Some("mine")).await);
    assert!(renamed("usr_find", None).await);
    let expected = SessionRecord {
        name: None,
        seen_at: at(60),
        idle_until: at(160),
        ..one.clone()
    };
    assert_eq!(place.find(one.id).await, Some(expected));
}

async fn spends_a_secret_once(place: &Place) {
    let one = record("usr_spend", 0);
    place
        .work(async |store, work| store.insert(work, &one).await)
        .await;
    let tries: Vec<_> = (0..50u8)
        .map(|n| {
            let (store, database) = (Arc::clone(&place.store), place.app.database().clone());
            let one = one.clone();
            tokio::spawn(async move {
                let session = database.session(Access::Write);
                let won = good(store.rotate(&session, &one, &rotation(1, n)).await);
                good(session.commit().await);
                won.then_some(n)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for one in tries {
        winners.extend(one.await.unwrap_or_else(|error| panic!("{error}")));
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    let found = place.find(one.id).await;
    let expected = SessionRecord {
        counter: 1,
        secret_hash: [winners[0]; 32],
        previous_hash: Some([2; 32]),
        spent_at: Some(at(10)),
        seen_at: at(10),
        seen_address: Some("192.0.2.2".to_owned()),
        idle_until: at(110),
        ..one
    };
    assert_eq!(found, Some(expected));
}

async fn spends_nothing_that_changed(place: &Place) {
    let one = record("usr_change", 0);
    place
        .work(async |store, work| store.insert(work, &one).await)
        .await;
    let raised = place
        .work(async |store, work| store.bump_generation(work, one.id).await)
        .await;
    assert_eq!(raised, Some(1));
    let spend = |read: SessionRecord| {
        place.work(async move |store, work| store.rotate(work, &read, &rotation(1, 3)).await)
    };
    assert!(!spend(one.clone()).await, "of an older generation");
    let now = SessionRecord {
        generation: 1,
        ..one.clone()
    };
    assert!(spend(now.clone()).await);
    assert!(!spend(now).await, "of an older counter");
    let unknown = record("usr_change", 0);
    assert!(!spend(unknown.clone()).await);
    let raised = place
        .work(async |store, work| store.bump_generation(work, unknown.id).await)
        .await;
    assert_eq!(raised, None);
}

async fn ends_once_and_for_all(place: &Place) {
    let one = record("usr_end", 0);
    place
        .work(async |store, work| store.insert(work, &one).await)
        .await;
    let end =
        |second| place.work(async move |store, work| store.end(work, one.id, at(second)).await);
    assert!(end(5).await);
    assert!(!end(6).await);
    let found = place.find(one.id).await;
    assert_eq!(found.and_then(|record| record.ended_at), Some(at(5)));
    let rotated = place.work(async |store, work| store.rotate(work, &one, &rotation(1, 3)).await);
    assert!(!rotated.await);
    let renamed = place.work(async |store, work| store.rename(work, "usr_end", one.id, None).await);
    assert!(!renamed.await);
    let raised = place
        .work(async |store, work| store.bump_generation(work, one.id).await)
        .await;
    assert_eq!(raised, None);
    let missing = SessionId::new();
    let ended = place.work(async |store, work| store.end(work, missing, at(1)).await);
    assert!(!ended.await);
}

async fn lists_the_live_ones_of_one_subject(place: &Place) {
    let [old, new, ended, other] = [
        record("usr_list", 0),
        record("usr_list", 20),
        record("usr_list", 10),
        record("usr_list2", 0),
    ];
    for one in [&old, &new, &ended, &other] {
        place
            .work(async |store, work| store.insert(work, one).await)
            .await;
    }
    place
        .work(async |store, work| store.end(work, ended.id, at(11)).await)
        .await;
    let ids = async |second| {
        let all = place.work(async |store, work| store.of(work, "usr_list", at(second)).await);
        all.await
            .into_iter()
            .map(|record| record.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(30).await, [new.id, old.id]);
    // Idle from 100 on.
    assert_eq!(ids(100).await, [new.id]);
    assert_eq!(ids(120).await, []);
    place
        .work(async |store, work| store.prune(work, at(50)).await)
        .await;
    assert!(place.find(new.id).await.is_some());
}

#[doyen_test::test]
async fn a_store_keeps_its_promises(app: AccountsApp) {
    let place = Place {
        store: Arc::new(SqlSessions),
        app: (*app).clone(),
    };
    keeps_its_promises(&place).await;
    // Long expired sessions are removed.
    let one = record("usr_prune", 0);
    place
        .work(async |store, work| store.insert(work, &one).await)
        .await;
    place
        .work(async |store, work| store.prune(work, at(101)).await)
        .await;
    assert_eq!(place.find(one.id).await, None);
}

/// The Redis server of the tests.
fn redis_url() -> String {
    std::env::var("DOYEN_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

async fn redis_connection() -> ConnectionManager {
    let client = redis::Client::open(redis_url()).unwrap_or_else(|error| panic!("{error}"));
    ConnectionManager::new(client)
        .await
        .unwrap_or_else(|error| panic!("Redis must run for the tests: {error}"))
}

#[doyen_test::test(sqlite)]
async fn a_store_in_redis_keeps_its_promises(app: AccountsApp) {
    let name = format!("doyen-test-{}", SessionId::new());
    let place = Place {
        store: Arc::new(RedisSessions::new(redis_connection().await, &name)),
        app: (*app).clone(),
    };
    keeps_its_promises(&place).await;
    // Every key expires.
    let mut connection = redis_connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{name}:*"))
        .query_async(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(keys.len() > 5, "{keys:?}");
    for key in &keys {
        let left: i64 = redis::cmd("TTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(left > 0, "{key} never expires");
    }
    let mut remove = redis::cmd("DEL");
    remove.arg(&keys);
    let removed = remove.exec_async(&mut connection).await;
    removed.unwrap_or_else(|error| panic!("{error}"));
}

/// Each login lists the sessions of its account. One after the other, a hundred would cost a
/// hundred round trips.
#[doyen_test::test(sqlite)]
async fn the_sessions_of_a_subject_are_read_from_redis_in_one_round_trip(app: AccountsApp) {
    let server = doyen_test::RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = ConnectionManager::new(client).await.unwrap();
    let store = Arc::new(RedisSessions::new(connection.clone(), "trips"));
    let place = Place {
        store,
        app: (*app).clone(),
    };
    for n in 0..100 {
        let one = record("usr_trips", n);
        place
            .work(async |store, work| store.insert(work, &one).await)
            .await;
    }
    // How often the server found something to read.
    let reads = async |connection: &mut ConnectionManager| {
        let mut info = redis::cmd("INFO");
        let info: String = info.arg("stats").query_async(connection).await.unwrap();
        let reads = info.lines().find_map(|line| {
            let reads = line.strip_prefix("total_reads_processed:")?;
            reads.trim().parse::<u64>().ok()
        });
        reads.expect("total_reads_processed")
    };
    let before = reads(&mut connection).await;
    let all = place.work(async |store, work| store.of(work, "usr_trips", at(99)).await);
    assert_eq!(all.await.len(), 100);
    let read = reads(&mut connection).await - before;
    assert!(read < 20, "{read} reads");
}

/// An unavailable Redis refuses no session: requests that need the store get a 503, and access
/// tokens stay valid.
#[doyen_test::test]
async fn f7_an_unavailable_session_store_is_503_and_not_401(app: AccountsApp) {
    use crate::accounts_app::{
        AccountsExt as _, DEFAULT_SCOPES, PASSWORD, default_setup, log_in_with,
    };
    let ada = app.new_user(DEFAULT_SCOPES).await;
    let held = app.log_in(&ada).await;
    // No server listens there.
    let listener =
        std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let port = listener
        .local_addr()
        .unwrap_or_else(|error| panic!("{error}"))
        .port();
    drop(listener);
    let lame = app
        .another(
            default_setup()
                .set("auth.session.store", "redis")
                .set("auth.session.transport", "both")
                .set("redis.url", &format!("redis://127.0.0.1:{port}")),
        )
        .await;
    let answer = log_in_with(&lame, &ada.email, PASSWORD).await;
    answer.expect_problem(503, "unavailable");
    let answer = lame.refresh(&held.refresh).await;
    answer.expect_problem(503, "unavailable");
    let cookie = format!("__Host-session={}", "A".repeat(64));
    let answer = lame.get("/who").header("cookie", cookie).send().await;
    answer.expect_problem(503, "unavailable");
    assert_eq!(lame.status(&held.access).await, 200);
    app.clock().advance(Duration::from_secs(1));
    app.refresh(&held.refresh).await.expect(200);
}

/// Everything with Redis, on two nodes.
#[doyen_test::test]
async fn o1_a3_t15_sessions_in_redis_are_refreshed_reused_and_ended_like_others(app: AccountsApp) {
    use crate::accounts_app::{
        AccountsExt as _, Browser, DEFAULT_SCOPES, default_setup, tokens, wait_until,
    };
    let setup = || {
        default_setup()
            .set("auth.session.store", "redis")
            .set("auth.session.transport", "both")
            // Redis removes them tomorrow.
            .set("auth.session.idle", "1h")
            .set("auth.session.absolute", "1h")
            .set("redis.url", &redis_url())
    };
    let (one, two) = (app.another(setup()).await, app.another(setup()).await);
    let ada = one.new_user(DEFAULT_SCOPES).await;
    let first = one.log_in(&ada).await;
    let asked: Vec<_> = (0..100)
        .map(|n| {
            let (node, token) = (
                if n % 2 == 0 { &one } else { &two }.clone(),
                first.refresh.clone(),
            );
            tokio::spawn(async move { node.refresh(&token).await })
        })
        .collect();
    let mut successors = Vec::new();
    for answer in asked {
        let answer = answer.await.unwrap_or_else(|error| panic!("{error}"));
        successors.push(tokens(&answer.expect(200)).refresh);
    }
    successors.sort_unstable();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    let browser = Browser::log_in(&one, &ada).await;
    let there = || two.get("/who").header("cookie", &browser.cookie).send();
    assert_eq!(there().await.status(), 200);
    // Reuse, detected on the other node.
    app.clock().advance(Duration::from_secs(60));
    two.refresh(&first.refresh)
        .await
        .expect_problem(400, "invalid_grant");
    one.refresh(&successors[0])
        .await
        .expect_problem(400, "invalid_grant");
    wait_until("the first node refuses", async || {
        one.status(&first.access).await == 401
    })
    .await;
    assert_eq!(there().await.status(), 200);
    // Everything ends.
    one.as_admin("/gone", &ada).await.expect(204);
    wait_until("the second node refuses", async || {
        there().await.status() == 401
    })
    .await;
    assert_eq!(app.count("auth_sessions").await, 0);
}
