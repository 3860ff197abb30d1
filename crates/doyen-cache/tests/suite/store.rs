//! What a cache does on one node, in memory and with Redis.

use std::time::Duration;

use doyen::cache::{CacheScope, CacheTag, Lookup};
use doyen::data::sea_orm::{ConnectionTrait as _, Statement};
use doyen::data::{Database, Session};
use doyen::domain::Access;
use doyen::prelude::*;
use doyen_test::RedisServer;

use crate::kit::{Cached, Loads, Node, until, with_redis};

const POLICY: CachePolicy = CachePolicy::new("x", secs(60));
const STALE: CachePolicy = CachePolicy::new("stale", secs(60)).stale(secs(600));

/// Runs a check on a node in memory, and on one with Redis.
async fn on_both(app: &Cached, check: impl AsyncFn(Node)) {
    Box::pin(check(Node::of(app).await)).await;
    let redis = RedisServer::start();
    let node = Node::another(app, with_redis(&redis)).await;
    Box::pin(check(node)).await;
}

fn failure() -> Unexpected {
    Unexpected::new("the load fails")
}

#[doyen_test::test]
async fn a_value_is_loaded_once(app: Cached) {
    on_both(&app, async |node| {
        let loads = Loads::open();
        for _ in 0..3 {
            assert_eq!(loads.read(node.entry(&POLICY), 7).await, 7);
        }
        assert_eq!(loads.count(), 1);
        assert_eq!((node.stats().hits, node.stats().misses), (2, 1));
    })
    .await;
}

#[doyen_test::test(sqlite)]
async fn concurrent_misses_wait_for_one_load(app: Cached) {
    on_both(&app, async |node| {
        let loads = Loads::held();
        let read = || loads.reading(node.entry(&POLICY), 7);
        let readers: Vec<_> = (0..1000).map(|_| read()).collect();
        until("all wait", || node.stats().waits == 999).await;
        loads.release();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 7);
        }
        assert_eq!(loads.count(), 1);
    })
    .await;
}

/// The client of the first request disconnects.
#[doyen_test::test(sqlite)]
async fn a_load_that_is_given_up_is_taken_over(app: Cached) {
    on_both(&app, async |node| {
        let (first, others) = (Loads::held(), Loads::open());
        let leader = first.reading(node.entry(&POLICY), 1);
        until("the first loads", || first.count() == 1).await;
        let readers: Vec<_> = (0..10)
            .map(|_| others.reading(node.entry(&POLICY), 2))
            .collect();
        until("the others wait", || node.stats().waits >= 10).await;
        leader.abort();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 2);
        }
        assert_eq!(others.count(), 1);
        assert_eq!(node.stats().abandoned_loads, 1);
    })
    .await;
}

#[doyen_test::test(sqlite)]
async fn a_failure_is_returned_and_not_kept(app: Cached) {
    on_both(&app, async |node| {
        let gate = Loads::held();
        let read = || {
            let (entry, gate) = (node.entry(&POLICY), gate.clone());
            tokio::spawn(async move {
                let load = async || {
                    gate.load(()).await?;
                    Err::<u32, _>(failure())
                };
                entry.get_or_load(load).await
            })
        };
        let readers: Vec<_> = (0..10).map(|_| read()).collect();
        until("the others wait", || node.stats().waits == 9).await;
        gate.release();
        for reader in readers {
            let error = reader.await.unwrap().unwrap_err();
            assert_eq!(error.error().to_string(), "the load fails");
        }
        // Each waiter has its own error, from its own load.
        assert_eq!(gate.count(), 10);
        assert_eq!(Loads::open().read(node.entry(&POLICY), 7).await, 7);
    })
    .await;
}

#[doyen_test::test(sqlite)]
async fn a_value_expires(app: Cached) {
    let node = Node::of(&app).await;
    let loads = Loads::open();
    loads.read(node.entry(&POLICY), 1).await;
    app.clock().advance(Duration::from_secs(53));
    assert_eq!(loads.read(node.entry(&POLICY), 2).await, 1);
    app.clock().advance(Duration::from_secs(8));
    assert_eq!(loads.read(node.entry(&POLICY), 2).await, 2);
}

#[doyen_test::test(sqlite)]
async fn an_expired_value_is_used_while_one_request_loads(app: Cached) {
    let node = Node::of(&app).await;
    Loads::open().read(node.entry(&STALE), 1).await;
    app.clock().advance(Duration::from_secs(61));
    let (slow, fast) = (Loads::held(), Loads::open());
    let refresh = slow.reading(node.entry(&STALE), 2);
    until("one request loads", || slow.count() == 1).await;
    for _ in 0..5 {
        assert_eq!(fast.read(node.entry(&STALE), 3).await, 1);
    }
    slow.release();
    assert_eq!(refresh.await.unwrap(), 2);
    assert_eq!(fast.read(node.entry(&STALE), 3).await, 2);
    assert_eq!(fast.count(), 0);
}

#[doyen_test::test(sqlite)]
async fn an_expired_value_is_used_if_the_load_fails(app: Cached) {
    let node = Node::of(&app).await;
    Loads::open().read(node.entry(&STALE), 1).await;
    let failing = || {
        node.entry(&STALE)
            .get_or_load(async || Err::<u32, _>(failure()))
    };
    app.clock().advance(Duration::from_secs(61));
    assert_eq!(failing().await.unwrap(), 1);
    assert_eq!(failing().await.unwrap(), 1);
    // Until it has expired for good.
    app.clock().advance(Duration::from_secs(600));
    failing().await.unwrap_err();
}

#[doyen_test::test(sqlite)]
async fn an_expired_value_is_refreshed_in_the_background(app: Cached) {
    let node = Node::of(&app).await;
    let read = async |loads: &Loads, value: u32| {
        let loads = loads.clone();
        let entry = node.entry(&STALE);
        let read = entry.get_or_refresh(move || async move { loads.load(value).await });
        read.await.unwrap()
    };
    assert_eq!(read(&Loads::open(), 1).await, 1, "nothing to use meanwhile");
    app.clock().advance(Duration::from_secs(61));
    let held = Loads::held();
    for _ in 0..5 {
        assert_eq!(read(&held, 2).await, 1, "no read waits");
    }
    until("one load runs", || held.count() == 1).await;
    held.release();
    // It is counted before it is stored.
    until("it is loaded", || node.stats().loads == 2).await;
    while read(&held, 3).await == 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&held, 3).await, 2);
    assert_eq!(held.count(), 1);
}

#[doyen_test::test(sqlite)]
async fn a_refresh_that_fails_keeps_the_old_value(app: Cached) {
    let node = Node::of(&app).await;
    let failing = || {
        node.entry(&STALE)
            .get_or_refresh(|| async { Err::<u32, _>(failure()) })
    };
    failing().await.unwrap_err();
    Loads::open().read(node.entry(&STALE), 1).await;
    app.clock().advance(Duration::from_secs(61));
    for failures in 2..5 {
        assert_eq!(failing().await.unwrap(), 1);
        until("it has failed", || node.stats().failed_loads == failures).await;
    }
    app.clock().advance(Duration::from_secs(600));
    failing().await.unwrap_err();
}

#[doyen_test::test(sqlite)]
async fn refreshes_in_the_background_are_bounded(app: Cached) {
    let node = Node::of(&app).await;
    let entry = |id: usize| node.cache.shared().entry(&STALE, id);
    for id in 0..70 {
        Loads::open().read(entry(id), 1).await;
    }
    app.clock().advance(Duration::from_secs(61));
    let held = Loads::held();
    let refresh = async |id: usize| {
        let loads = held.clone();
        let read = entry(id).get_or_refresh(move || async move { loads.load(2).await });
        read.await.unwrap()
    };
    for id in 0..70 {
        assert_eq!(refresh(id).await, 1);
    }
    until("64 loads run", || held.count() == 64).await;
    assert_eq!(node.stats().abandoned_loads, 6);
    held.release();
    until("they are stored", || node.stats().loads == 70 + 64).await;
    for id in 64..70 {
        assert_eq!(refresh(id).await, 1, "the next read tries again");
    }
    until("the rest is stored", || node.stats().loads == 140).await;
}

#[doyen_test::test(sqlite)]
async fn an_absence_is_remembered_for_its_own_time(app: Cached) {
    let node = Node::of(&app).await;
    let policy = CachePolicy::new("n", secs(600)).negative(secs(5));
    let loads = Loads::open();
    let find = async |value: Option<u32>| {
        let entry = node.entry(&policy);
        entry.find_or_load(|| loads.load(value)).await.unwrap()
    };
    assert_eq!(find(None).await, None);
    assert_eq!(find(Some(1)).await, None);
    assert_eq!(loads.count(), 1);
    app.clock().advance(Duration::from_secs(6));
    assert_eq!(find(Some(1)).await, Some(1));
    app.clock().advance(Duration::from_secs(6));
    assert_eq!(find(None).await, Some(1));
    assert_eq!(loads.count(), 2);
}

#[doyen_test::test(sqlite)]
async fn keys_and_tags_are_invalidated(app: Cached) {
    on_both(&app, async |node| {
        let loads = Loads::open();
        let cache = node.cache.shared();
        let one = || cache.entry(&POLICY, 1).tag("a").tag(CacheTag::of("b", 1));
        let two = || cache.entry(&POLICY, 2).tag("a");
        let mut expected = 0;
        let mut read = async |ones: u32, twos: u32, loaded: usize| {
            assert_eq!(loads.read(one(), ones).await, ones);
            assert_eq!(loads.read(two(), twos).await, twos);
            expected += loaded;
            assert_eq!(loads.count(), expected);
        };
        read(1, 2, 2).await;
        one().invalidate().now().await;
        read(10, 2, 1).await;
        node.cache.invalidate(CacheTag::of("b", 1)).now().await;
        read(11, 2, 1).await;
        node.cache.invalidate("c").and("a").now().await;
        read(12, 3, 2).await;
        node.cache.invalidate("c").now().await;
        read(12, 3, 0).await;
    })
    .await;
}

/// A load that began before the change ends after it.
#[doyen_test::test(sqlite)]
async fn a_slow_load_does_not_bring_an_old_value_back(app: Cached) {
    on_both(&app, async |node| {
        let (slow, fast) = (Loads::held(), Loads::open());
        let old = slow.reading(node.entry(&POLICY), 1);
        until("the slow one loads", || slow.count() == 1).await;
        node.cache.invalidate("things").now().await;
        // A reader after the change does not wait for the load from before.
        assert_eq!(fast.read(node.entry(&POLICY), 2).await, 2);
        slow.release();
        assert_eq!(old.await.unwrap(), 1);
        assert_eq!(fast.read(node.entry(&POLICY), 3).await, 2);
        // Also if nothing was loaded in between.
        let slow = Loads::held();
        node.cache.invalidate("things").now().await;
        let old = slow.reading(node.entry(&POLICY), 4);
        until("the slow one loads", || slow.count() == 1).await;
        node.cache.invalidate("things").now().await;
        slow.release();
        assert_eq!(old.await.unwrap(), 4);
        assert_eq!(fast.read(node.entry(&POLICY), 5).await, 5);
    })
    .await;
}

fn session(node: &Node) -> Session {
    node.app.database().session(Access::Write)
}

async fn write(session: &Session, id: i32) {
    let sql = "INSERT INTO things (id, name) VALUES ($1, 'a')";
    session.execute_sql(sql, [id.into()]).await.unwrap();
}

async fn count(database: &Database) -> Result<u32, Unexpected> {
    let session = database.session(Access::Read);
    let statement = Statement::from_string(session.backend(), "SELECT count(*) FROM things");
    let row = session.query_one_raw(statement).await?;
    let count: i64 = row.ok_or_else(failure)?.try_get_by_index(0)?;
    Ok(u32::try_from(count)?)
}

#[doyen_test::test]
async fn a_value_is_invalidated_after_the_commit_and_not_after_a_rollback(app: Cached) {
    on_both(&app, async |node| {
        let loads = Loads::open();
        let read = async || {
            let load = async || {
                loads.load(()).await?;
                Box::pin(count(node.app.database())).await
            };
            node.entry(&POLICY).get_or_load(load).await.unwrap()
        };
        let before = read().await;
        assert_eq!(loads.count(), 1);
        let id = i32::try_from(before).unwrap();
        let work = session(&node);
        write(&work, 10 * id + 1).await;
        node.cache.invalidate("things").after(&work);
        // Not before the commit: a reader would load the old value.
        assert_eq!((read().await, loads.count()), (before, 1));
        work.commit().await.unwrap();
        assert_eq!((read().await, loads.count()), (before + 1, 2));
        let work = session(&node);
        write(&work, 10 * id + 2).await;
        node.cache.invalidate("things").after(&work);
        work.rollback().await;
        assert_eq!((read().await, loads.count()), (before + 1, 2));
        let work = session(&node);
        write(&work, 10 * id + 3).await;
        node.cache.invalidate("things").after(&work);
        drop(work);
        assert_eq!((read().await, loads.count()), (before + 1, 2));
    })
    .await;
}

/// A scope with any text.
struct Tenant(String);

impl CacheScope for Tenant {
    const KIND: &'static str = "tenant";
    fn partition(&self) -> std::borrow::Cow<'_, str> {
        (&self.0).into()
    }
}

/// Every pair of scope and id has its own value, whatever the texts are.
#[doyen_test::test(sqlite)]
async fn a_value_never_crosses_scopes(app: Cached) {
    on_both(&app, async |node| {
        let loads = Loads::open();
        let texts = [
            "", "a", "b", "a.b", ".a", "a.", "1.a", "a\0", "a=b", "=", "caller=a", "é", "a\r\nb",
        ];
        let caller = |subject: &str, scopes: &[&str], roles: &[&str]| {
            let mut caller = Caller::new(subject);
            caller.scopes = scopes.iter().map(|scope| (*scope).into()).collect();
            caller.roles = roles.iter().map(|role| (*role).into()).collect();
            caller
        };
        let mut all = Vec::new();
        for id in texts {
            all.push(node.cache.shared().entry(&POLICY, id));
            all.push(node.cache.of(&None::<Caller>).entry(&POLICY, id));
            for text in texts {
                all.push(node.cache.of(&Tenant(text.into())).entry(&POLICY, id));
                all.push(node.cache.of(&caller(text, &[], &[])).entry(&POLICY, id));
                // The same subject with other rights.
                let more = caller(text, &["a"], &[]);
                all.push(node.cache.of(&more).entry(&POLICY, id));
                let more = caller(text, &[], &["a"]);
                all.push(node.cache.of(&more).entry(&POLICY, id));
            }
        }
        for (number, entry) in (0..).zip(&all) {
            assert_eq!(loads.read(entry.clone(), number).await, number, "{number}");
        }
        for (number, entry) in (0..).zip(&all) {
            assert_eq!(loads.read(entry.clone(), 0).await, number);
        }
        assert_eq!(loads.count(), all.len());
        // The order of rights does not matter.
        let one = node.cache.of(&caller("ann", &["a", "b"], &["x"]));
        let same = node.cache.of(&caller("ann", &["b", "a"], &["x"]));
        loads.read(one.entry(&POLICY, "order"), 1).await;
        assert_eq!(loads.read(same.entry(&POLICY, "order"), 2).await, 1);
    })
    .await;
}

#[doyen_test::test(sqlite)]
async fn memory_is_bounded(app: Cached) {
    on_both(&app, async |node| {
        let cache = node.cache.shared();
        let text = |length: usize| "a".repeat(length);
        // Ten times the memory.
        for id in 0..2000 {
            let entry = cache.entry(&POLICY, id);
            let load = async || Ok::<_, Unexpected>(text(5000));
            entry.get_or_load(load).await.unwrap();
        }
        let stats = node.stats();
        assert!(stats.bytes <= 1_000_000, "{stats:?}");
        assert!(stats.entries > 0 && stats.evictions > 0, "{stats:?}");
        // A value above the limit is returned, and not stored.
        for loaded in 1..3 {
            let load = async || Ok::<_, Unexpected>(text(10_000));
            let read = cache.entry(&POLICY, "large").get_or_load(load).await;
            assert_eq!(read.unwrap().len(), 10_000);
            assert_eq!(node.stats().oversized, loaded);
        }
    })
    .await;
}

#[doyen_test::test(sqlite)]
async fn a_value_of_another_type_is_loaded_again(app: Cached) {
    on_both(&app, async |node| {
        let read = async |policy: &CachePolicy, value: &'static str| {
            let load = async || Ok::<_, Unexpected>(value.to_owned());
            node.entry(policy).get_or_load(load).await.unwrap()
        };
        let loads = Loads::open();
        loads.read(node.entry(&POLICY), 1).await;
        // By its version it is another value.
        let next = POLICY.version(2);
        assert_eq!(read(&next, "a").await, "a");
        assert_eq!(loads.read(node.entry(&POLICY), 2).await, 1);
        assert_eq!(node.stats().undecodable, 0);
        // A type that was changed without a version.
        assert_eq!(read(&POLICY, "b").await, "b");
        assert_eq!(node.stats().undecodable, 1);
        assert_eq!(read(&POLICY, "c").await, "c");
        assert_eq!(read(&POLICY, "d").await, "c");
        assert_eq!(node.stats().undecodable, 1);
    })
    .await;
}

/// A lease that is dropped without an end does not block the next reader.
#[doyen_test::test(sqlite)]
async fn a_lease_is_released_when_it_is_dropped(app: Cached) {
    on_both(&app, async |node| {
        for _ in 0..3 {
            let lookup = node.entry(&POLICY).lookup().await;
            assert!(matches!(lookup, Lookup::Miss(_)), "{lookup:?}");
        }
    })
    .await;
}
