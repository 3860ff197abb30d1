//! Each code, and requests without one.

use crate::app::Shop;

/// Nothing was found.
const NONE: [&str; 0] = [];

#[doyen_test::test]
async fn a_repeated_query_is_found_and_counted(shop: Shop) {
    let shop = shop.with_items(6).await;
    assert_eq!(shop.codes("GET", "/items/4/in-a-loop").await, NONE);
    let answer = shop.get("/items/6/in-a-loop").send().await.expect(200);
    let [finding] = answer.findings() else {
        panic!("{:?}", answer.findings());
    };
    assert_eq!(finding.code, "repeated_statement");
    assert_eq!(finding.method, "GET");
    assert_eq!(finding.route, "/items/{count}/in-a-loop");
    assert_eq!(finding.count, Some(6));
    let statement = finding.statement.as_deref();
    assert_eq!(statement, Some("SELECT name FROM items WHERE id = $1"));
    assert!(finding.cure.contains("loader"), "{}", finding.cure);
    // In a transaction too, where twenty updates are none.
    let codes = shop.codes("POST", "/items/6/in-a-loop").await;
    assert_eq!(codes, ["repeated_statement"]);
    assert_eq!(shop.counted("repeated_statement").await, Some(2));
    assert_eq!(shop.counted("large_response").await, Some(0));
}

/// A thread that blocks can also be preempted, which hides it. So several requests may be needed on
/// a busy machine.
#[cfg(target_os = "linux")]
#[doyen_test::test(sqlite)]
async fn a_blocked_thread_is_found(shop: Shop) {
    for path in ["/sleeps", "/computes"] {
        let mut codes = Vec::new();
        for _ in 0..100 {
            codes = shop.codes("GET", path).await;
            if !codes.is_empty() {
                break;
            }
        }
        assert_eq!(codes, ["blocking_poll"], "{path}");
    }
    assert_eq!(shop.codes("GET", "/waits").await, NONE);
}

#[doyen_test::test]
async fn a_transaction_that_waits_is_found(shop: Shop) {
    let shop = shop.with_items(1).await;
    assert_eq!(shop.codes("POST", "/holds/60").await, ["connection_held"]);
    let both = shop.codes("POST", "/holds/150").await;
    assert_eq!(both, ["connection_held", "long_transaction"]);
    assert_eq!(shop.codes("POST", "/brief").await, NONE);
}

#[doyen_test::test]
async fn a_long_list_without_a_limit_is_found(shop: Shop) {
    let shop = shop.with_items(20).await;
    let answer = shop.get("/items").send().await.expect(200);
    let [finding] = answer.findings() else {
        panic!("{:?}", answer.findings());
    };
    assert_eq!(finding.code, "unbounded_list");
    assert_eq!(finding.rows, Some(20));
    assert_eq!(shop.codes("GET", "/items/page").await, NONE);
}

#[doyen_test::test(sqlite)]
async fn a_large_response_is_found_before_it_is_compressed(shop: Shop) {
    assert_eq!(shop.codes("GET", "/large/900").await, NONE);
    let call = shop.get("/large/2000").header("accept-encoding", "gzip");
    let answer = call.send().await.expect(200);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let [finding] = answer.findings() else {
        panic!("{:?}", answer.findings());
    };
    assert_eq!(finding.code, "large_response");
    assert!(finding.bytes > Some(2000), "{finding:?}");
}
