//! A request is one unit of work, however it ends: after a 2xx its changes are committed, otherwise
//! rolled back. No connection is leaked.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use crate::support::faults::Faulty;

/// Number of requests of each kind.
const MANY: usize = 1000;
/// Number of concurrent requests.
const CROWD: usize = 16;

#[doyen_test::test]
async fn a_successful_request_is_committed(app: Faulty) {
    let app = app.ready().await;
    app.post("/faults/keeps").send().await.expect(204);
    assert_eq!(app.rows().await, 1);
}

#[doyen_test::test]
async fn an_error_a_panic_and_a_timeout_roll_back(app: Faulty) {
    let app = app.ready().await;
    app.post("/faults/fails")
        .send()
        .await
        .expect_problem(409, "meant_to");
    app.post("/faults/panics")
        .send()
        .await
        .expect_problem(500, "internal");
    app.post("/faults/waits")
        .send()
        .await
        .expect_problem(503, "timeout");
    assert_eq!(app.rows().await, 0);
    app.rests().await;
}

/// The database refuses the commit: the client gets an error, and nothing is stored.
#[doyen_test::test]
async fn a_failed_commit_is_an_error_and_leaves_nothing(app: Faulty) {
    let app = app.ready().await;
    let answer = app
        .post("/faults/dangles")
        .send()
        .await
        .expect_problem(503, "commit_failed");
    assert!(answer.header("retry-after").is_some(), "{answer}");
    assert_eq!(app.rows().await, 0);
    app.post("/faults/keeps").send().await.expect(204);
    assert_eq!(app.rows().await, 1);
    app.rests().await;
}

#[doyen_test::test]
async fn a_get_that_writes_is_refused(app: Faulty) {
    let app = app.ready().await;
    app.get("/faults/writes")
        .send()
        .await
        .expect_problem(500, "internal");
    app.head("/faults/writes").send().await.expect(500);
    assert_eq!(app.rows().await, 0);
    app.rests().await;
}

/// A client closes its connection while its request waits in a transaction.
#[doyen_test::test]
async fn a_client_that_disconnects_leaves_nothing(app: Faulty) {
    let app = app.ready().await;
    let live = app.serve().await;
    for _ in 0..20 {
        let mut stream = live.connect().await;
        let request = b"POST /faults/waits-long HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
        stream
            .write_all(request)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        app.waits.0.notified().await;
        drop(stream);
        // SQLite has one writer: if the lock were still held, this would wait for it.
        app.post("/faults/keeps").send().await.expect(204);
    }
    assert_eq!(app.rows().await, 20);
    app.rests().await;
}

/// Runs this `MANY` times, a few concurrently.
async fn many<Fut: Future<Output = ()> + Send + 'static>(one: impl Fn() -> Fut) {
    let mut left = MANY;
    while left > 0 {
        let crowd: Vec<_> = (0..CROWD.min(left)).map(|_| tokio::spawn(one())).collect();
        left -= crowd.len();
        for one in crowd {
            one.await.unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

/// Hides the backtraces of intended panics.
fn without_backtraces() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let meant = panic
            .payload()
            .downcast_ref::<&str>()
            .is_some_and(|text| text.starts_with("on purpose"));
        if !meant {
            usual(panic);
        }
    }));
}

macro_rules! leaks_nothing {
    ($($name:ident: $path:literal, $status:literal;)*) => {
        $(#[doyen_test::test]
        async fn $name(app: Faulty) {
            without_backtraces();
            let app = Arc::new(app.ready().await);
            many(|| {
                let app = Arc::clone(&app);
                async move { drop(app.post($path).send().await.expect($status)) }
            })
            .await;
            assert_eq!(app.rows().await, 0);
            app.rests().await;
            app.post("/faults/keeps").send().await.expect(204);
        })*
    };
}

leaks_nothing! {
    a_thousand_errors_leak_nothing: "/faults/fails", 409;
    a_thousand_panics_leak_nothing: "/faults/panics", 500;
    a_thousand_timeouts_leak_nothing: "/faults/waits", 503;
    a_thousand_failed_commits_leak_nothing: "/faults/dangles", 503;
}

/// Drops a request at any point, a thousand times, as the server does for a client that
/// disconnected.
#[doyen_test::test]
async fn a_thousand_cancelled_requests_leak_nothing(app: Faulty) {
    let app = Arc::new(app.ready().await);
    let patience = Arc::new(std::sync::atomic::AtomicU64::new(0));
    many(|| {
        let app = Arc::clone(&app);
        // From the first poll until well into the wait.
        let micros = patience.fetch_add(7, std::sync::atomic::Ordering::Relaxed) % 3000;
        async move {
            let call = app.post("/faults/waits-long").send();
            let gone = tokio::time::timeout(Duration::from_micros(micros), call).await;
            assert!(gone.is_err(), "it was answered");
        }
    })
    .await;
    app.rests().await;
    assert_eq!(app.rows().await, 0);
    app.post("/faults/keeps").send().await.expect(204);
    // Work in the background may have opened connections too.
    let pool = app.database().pool();
    assert!(pool.open <= pool.max, "{pool:?}");
}
