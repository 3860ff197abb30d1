//! Nodes that share Redis, and a Redis that fails.

use std::time::Duration;

use doyen::prelude::*;
use doyen_test::{RedisServer, scale};

use crate::kit::{Cached, Loads, Node, impatient, until, until_async, with_redis};

const POLICY: CachePolicy = CachePolicy::new("x", secs(600));
const STALE: CachePolicy = CachePolicy::new("stale", secs(600)).stale(secs(600));

async fn two(app: &Cached, redis: &RedisServer) -> (Node, Node) {
    let one = Node::another(app, with_redis(redis)).await;
    (one, Node::another(app, with_redis(redis)).await)
}

/// Runs a command on Redis.
async fn redis<T: redis::FromRedisValue>(server: &RedisServer, command: &[&str]) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut call = redis::cmd(command[0]);
    command[1..].iter().for_each(|word| {
        call.arg(*word);
    });
    call.query_async(&mut connection).await.unwrap()
}

#[doyen_test::test(sqlite)]
async fn a_thousand_misses_on_two_nodes_are_one_load(app: Cached) {
    let server = RedisServer::start();
    let (one, two) = two(&app, &server).await;
    for _ in 0..scale(1, 20) {
        let loads = Loads::held();
        let before = [&one, &two].map(|node| node.stats().waits);
        let readers: Vec<_> = (0..500)
            .flat_map(|_| [&one, &two].map(|node| loads.reading(node.entry(&POLICY), 7)))
            .collect();
        for (node, before) in [(&one, before[0]), (&two, before[1])] {
            until("all wait", || node.stats().waits - before == 499).await;
        }
        loads.release();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 7);
        }
        assert_eq!(loads.count(), 1);
        one.cache.invalidate("things").now().await;
        // Until the other node knows, too.
        let fresh = Loads::open();
        until_async("the other node loads", async || {
            fresh.read(two.entry(&POLICY), 8).await == 8
        })
        .await;
        two.cache.invalidate("things").now().await;
        until_async("both load again", async || {
            matches!(
                one.entry(&POLICY).lookup().await,
                doyen::cache::Lookup::Miss(_)
            )
        })
        .await;
    }
}

#[doyen_test::test(sqlite)]
async fn a_value_and_its_invalidation_reach_the_other_node(app: Cached) {
    let server = RedisServer::start();
    let (one, two) = two(&app, &server).await;
    let loads = Loads::open();
    for round in 0..20 {
        assert_eq!(loads.read(one.entry(&POLICY), round).await, round);
        assert_eq!(loads.read(two.entry(&POLICY), 1000).await, round);
        // From its own memory, once it knows of all earlier invalidations.
        until_async("it reads from its own memory", async || {
            let hits = two.stats().hits;
            assert_eq!(loads.read(two.entry(&POLICY), 1000).await, round);
            two.stats().hits == hits + 1
        })
        .await;
        one.cache.invalidate("things").now().await;
        // At once on the node of the change.
        assert_eq!(
            loads.read(one.entry(&POLICY), 500 + round).await,
            500 + round
        );
        until_async("the other node reads the new value", async || {
            loads.read(two.entry(&POLICY), 1000).await == 500 + round
        })
        .await;
        two.cache.invalidate("things").now().await;
        until_async("the first node drops it", async || {
            loads.read(one.entry(&POLICY), round + 1).await == round + 1
        })
        .await;
        one.cache.invalidate("things").now().await;
        until_async("the second node has no value", async || {
            matches!(
                two.entry(&POLICY).lookup().await,
                doyen::cache::Lookup::Miss(_)
            )
        })
        .await;
    }
}

#[doyen_test::test(sqlite)]
async fn a_slow_load_on_another_node_does_not_bring_an_old_value_back(app: Cached) {
    let server = RedisServer::start();
    let (one, two) = two(&app, &server).await;
    let (slow, fast) = (Loads::held(), Loads::open());
    let old = slow.reading(two.entry(&POLICY), 1);
    until("the slow one loads", || slow.count() == 1).await;
    one.cache.invalidate("things").now().await;
    // It does not wait for the lease of the load from before.
    assert_eq!(fast.read(one.entry(&POLICY), 2).await, 2);
    slow.release();
    assert_eq!(old.await.unwrap(), 1);
    assert_eq!(fast.read(one.entry(&POLICY), 3).await, 2);
    until_async("the slow node reads the new value", async || {
        fast.read(two.entry(&POLICY), 4).await == 2
    })
    .await;
    assert_eq!(fast.count(), 1);
}

/// Its connection is cut while another node invalidates.
#[doyen_test::test(sqlite)]
async fn a_node_that_missed_messages_heals(app: Cached) {
    let server = RedisServer::start();
    let (one, two) = two(&app, &server).await;
    let loads = Loads::open();
    loads.read(one.entry(&POLICY), 1).await;
    assert_eq!(loads.read(two.entry(&POLICY), 9).await, 1);
    // All messages are lost, and the numbers go on.
    let _killed: i64 = redis(&server, &["CLIENT", "KILL", "TYPE", "normal"]).await;
    one.cache.invalidate("things").now().await;
    let _deleted: i64 = redis(&server, &["DEL", "doyen:{cached}:cache:stream"]).await;
    until_async("the other node reads the new value", async || {
        loads.read(one.entry(&POLICY), 2).await == 2 && loads.read(two.entry(&POLICY), 2).await == 2
    })
    .await;
    // A gap in the numbers, without a lost connection.
    let resets = two.stats().resets;
    let _number: i64 = redis(&server, &["INCR", "doyen:{cached}:cache:number"]).await;
    one.cache.invalidate("other").now().await;
    until("the gap is noticed", || two.stats().resets > resets).await;
}

/// Redis may evict or lose keys at any time.
#[doyen_test::test(sqlite)]
async fn lost_generations_never_fit_an_old_value(app: Cached) {
    let server = RedisServer::start();
    let (one, two) = two(&app, &server).await;
    let loads = Loads::open();
    loads.read(one.entry(&POLICY), 1).await;
    let _deleted: i64 = redis(&server, &["DEL", "doyen:{cached}:cache:generations"]).await;
    assert_eq!(loads.read(two.entry(&POLICY), 2).await, 2);
    let _all: String = redis(&server, &["FLUSHALL"]).await;
    two.cache.invalidate("things").now().await;
    assert_eq!(loads.read(two.entry(&POLICY), 3).await, 3);
    until_async("the first node follows", async || {
        loads.read(one.entry(&POLICY), 4).await == 3
    })
    .await;
}

/// The lifetime in Redis decides, whatever the clock of a node says.
#[doyen_test::test(sqlite)]
async fn an_expired_value_in_redis_is_used_while_one_node_loads(app: Cached) {
    let server = RedisServer::start();
    let (one, two) = two(&app, &server).await;
    let (slow, fast) = (Loads::held(), Loads::open());
    fast.read(one.entry(&STALE), 1).await;
    let keys: Vec<String> = redis(&server, &["KEYS", "doyen:{cached}:cache:v:*"]).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let _set: i64 = redis(&server, &["PEXPIRE", &keys[0], "500000"]).await;
    let refresh = slow.reading(two.entry(&STALE), 2);
    until("one node loads", || slow.count() == 1).await;
    let third = Node::another(&app, with_redis(&server)).await;
    assert_eq!(fast.read(third.entry(&STALE), 3).await, 1);
    slow.release();
    assert_eq!(refresh.await.unwrap(), 2);
    assert_eq!(fast.read(third.entry(&STALE), 3).await, 2);
}

/// No text of a client is in a key, and every key with a value expires.
#[doyen_test::test(sqlite)]
async fn keys_are_hashes_that_expire(app: Cached) {
    let server = RedisServer::start();
    let node = Node::another(&app, with_redis(&server)).await;
    let evil = "ada*?[]\r\n{x}:";
    let entry = node.cache.of(&Caller::new(evil)).entry(&POLICY, evil);
    Loads::open().read(entry, 1).await;
    let keys: Vec<String> = redis(&server, &["KEYS", "*"]).await;
    for key in &keys {
        let name = key.strip_prefix("doyen:{cached}:cache:").unwrap();
        match name.strip_prefix("v:") {
            Some(hash) => {
                assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
                let lives: i64 = redis(&server, &["PTTL", key]).await;
                assert!((1..=600_000).contains(&lives), "{lives}");
            }
            None => assert_eq!(name, "generations"),
        }
    }
    assert_eq!(keys.len(), 2, "{keys:?}");
}

/// A node that is killed during a load leaves its lease.
#[doyen_test::test(sqlite)]
async fn a_lease_that_is_left_behind_expires(app: Cached) {
    let server = RedisServer::start();
    let (one, two) = two(&app, &server).await;
    let slow = Loads::held();
    let load = slow.reading(one.entry(&POLICY), 1);
    until("it loads", || slow.count() == 1).await;
    let keys: Vec<String> = redis(&server, &["KEYS", "*:lease"]).await;
    let lease: String = redis(&server, &["GET", &keys[0]]).await;
    load.abort();
    until_async("the lease is released", async || {
        self::redis::<i64>(&server, &["EXISTS", &keys[0]]).await == 0
    })
    .await;
    // As if the node had been killed instead.
    let _set: String = redis(&server, &["SET", &keys[0], &lease, "PX", "300"]).await;
    let loads = Loads::open();
    assert_eq!(loads.read(two.entry(&POLICY), 2).await, 2);
    assert_eq!(loads.read(one.entry(&POLICY), 3).await, 2);
}

/// Redis is paused in the middle: every read goes on, and what was changed meanwhile is not lost.
#[doyen_test::test(sqlite)]
async fn a_paused_redis_loses_no_invalidation(app: Cached) {
    let server = RedisServer::start();
    let one = Node::another(&app, impatient(&server)).await;
    let two = Node::another(&app, impatient(&server)).await;
    let loads = Loads::open();
    let fill = async |value: u32| {
        one.cache.invalidate("things").now().await;
        until_async("both have the value", async || {
            loads.read(one.entry(&POLICY), value).await == value
                && loads.read(two.entry(&POLICY), value).await == value
        })
        .await;
    };
    fill(1).await;
    let slow = Loads::held();
    let during = slow.reading(one.cache.shared().entry(&POLICY, "during"), 5);
    until("it loads", || slow.count() == 1).await;
    server.pause();
    slow.release();
    assert_eq!(during.await.unwrap(), 5);
    // The change returns, and its node reads the new value.
    one.cache.invalidate("things").now().await;
    assert_eq!(loads.read(one.entry(&POLICY), 2).await, 2);
    for id in 0..100 {
        let entry = one.cache.shared().entry(&POLICY, id);
        assert_eq!(loads.read(entry, id).await, id);
    }
    assert!(one.stats().shared_errors > 0);
    // Without Redis the other node trusts its values for a short time, and not longer.
    until_async("the other node trusts nothing old", async || {
        app.clock().advance(Duration::from_secs(6));
        loads.read(two.entry(&POLICY), 3).await == 3
    })
    .await;
    server.resume();
    // What the first node changed reaches Redis, and what it held from before is not used.
    let mut next = 4..;
    until_async("the nodes agree again", async || {
        let mut read = async |node: &Node| {
            let value = next.next().unwrap_or(u32::MAX);
            loads.read(node.entry(&POLICY), value).await
        };
        let (here, there) = (read(&one).await, read(&two).await);
        here >= 4 && here == there
    })
    .await;
    fill(1_000_000).await;
}

/// Redis is killed and starts again without data.
#[doyen_test::test(sqlite)]
async fn a_restarted_redis_is_used_again(app: Cached) {
    let mut server = RedisServer::start();
    let one = Node::another(&app, impatient(&server)).await;
    let two = Node::another(&app, impatient(&server)).await;
    let loads = Loads::open();
    for round in 0..3 {
        let (old, new) = (10 * round, 10 * round + 1);
        one.cache.invalidate("things").now().await;
        until_async("both have a value", async || {
            loads.read(one.entry(&POLICY), old).await == old
                && loads.read(two.entry(&POLICY), old).await == old
        })
        .await;
        server.kill();
        one.cache.invalidate("things").now().await;
        assert_eq!(loads.read(one.entry(&POLICY), new).await, new);
        server.restart();
        until_async("both read the new value", async || {
            loads.read(one.entry(&POLICY), new).await == new
                && loads.read(two.entry(&POLICY), new).await == new
        })
        .await;
        // Together: what one loads, the other reads.
        until_async("they share again", async || {
            let id = uuid();
            let (a, b) = (one.cache.shared(), two.cache.shared());
            loads.read(a.entry(&POLICY, &id), 1).await;
            loads.read(b.entry(&POLICY, &id), 2).await == 1
        })
        .await;
    }
}

fn uuid() -> String {
    doyen::data::sea_orm::prelude::Uuid::now_v7().to_string()
}
