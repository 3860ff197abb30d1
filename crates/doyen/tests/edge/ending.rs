//! The end of a request: commit, rollback and cleanup after a response, an error, a panic, a
//! timeout, and a disconnect.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use doyen::domain::inject::{Context, Inject, Node, Teardown, UnitOfWork};
use doyen::domain::{AccessRecord, AccessSink, Refusal};
use doyen::prelude::*;
use doyen::web::{Body, Service};
use http::{Request, StatusCode};
use tokio::sync::Semaphore;

use crate::kit::{Answer, finish, get, send};

/// The events, in order.
#[derive(Debug, Default)]
struct Journal(Mutex<Vec<&'static str>>);

impl Journal {
    fn add(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A unit of work that records its outcome. Its commit waits for a permit.
struct Ledger {
    journal: Arc<Journal>,
    gate: Arc<Gate>,
}

#[async_trait]
impl UnitOfWork for Ledger {
    async fn commit(&self) -> Result<(), Refusal> {
        self.gate.commit.acquire().await.unwrap().forget();
        self.journal.add("commit");
        Ok(())
    }
    async fn rollback(&self) {
        self.journal.add("rollback");
    }
}

/// Holds a request in its handler.
#[derive(Debug)]
struct Gate {
    reached: Semaphore,
    commit: Semaphore,
}

#[derive(Clone, Debug)]
struct Work(Arc<Journal>, Arc<Gate>);

impl Inject for Work {
    fn node() -> Node {
        Node::of::<Self>(vec![
            <Arc<Journal> as Inject>::node,
            <Arc<Gate> as Inject>::node,
        ])
    }
    async fn make(cx: &Context) -> Result<Self, Refusal> {
        let journal = cx.get::<Arc<Journal>>().await?;
        let gate = cx.get::<Arc<Gate>>().await?;
        let ledger = Ledger {
            journal: Arc::clone(&journal),
            gate: Arc::clone(&gate),
        };
        cx.enlist(Arc::new(ledger));
        for step in ["third", "second", "first"] {
            let journal = Arc::clone(&journal);
            cx.teardown().push(async move {
                if step == "second" {
                    panic!("a step that fails");
                }
                journal.add(step);
            });
        }
        Ok(Self(journal, gate))
    }
}

/// Why it did not work.
#[derive(Debug, Problem)]
enum Failed {
    /// It did not work.
    #[problem(conflict, code = "it_failed")]
    Failed,
}

/// Do it, one way or another.
#[post("/do/{how}", allow = anyone, timeout = Duration::from_millis(50))]
async fn act(how: String, work: Work) -> Result<http::Response<Body>, Failed> {
    work.0.add("handler");
    match &*how {
        "fail" => return Err(Failed::Failed),
        "panic" => panic!("on purpose: {}", how.len()),
        "hang" => {
            work.1.reached.add_permits(1);
            std::future::pending::<()>().await;
        }
        _ => {}
    }
    let mut response = http::Response::new(Body::whole("done"));
    if how == "refuse" {
        *response.status_mut() = StatusCode::CONFLICT;
    }
    Ok(response)
}

/// Wait until the client disconnects
#[post("/wait", allow = anyone)]
async fn wait(work: Work) -> NoContent {
    work.1.reached.add_permits(1);
    std::future::pending::<()>().await;
    NoContent
}

/// Captures the lines of the log.
#[derive(Default)]
struct Lines(Mutex<Vec<(u16, String, String)>>);

impl AccessSink for Lines {
    fn write(&self, record: &AccessRecord<'_>) {
        let code = record.problem.unwrap_or("").to_owned();
        let cause = record.cause.map_or_else(String::new, ToString::to_string);
        self.0.lock().unwrap().push((record.status, code, cause));
    }
}

struct Bench {
    service: Service,
    journal: Arc<Journal>,
    gate: Arc<Gate>,
    lines: Arc<Lines>,
}

/// A service whose commits wait for this number of permits.
fn bench(commits: usize) -> Bench {
    let journal = Arc::new(Journal::default());
    let gate = Arc::new(Gate {
        reached: Semaphore::new(0),
        commit: Semaphore::new(commits),
    });
    let lines = Arc::new(Lines::default());
    let module = Module::new("t")
        .routes(routes![act, wait])
        .provide(Arc::clone(&journal))
        .provide(Arc::clone(&gate));
    let service = finish(
        Service::builder()
            .access_log(Arc::clone(&lines) as Arc<dyn AccessSink>)
            .module(module),
    );
    Bench {
        service,
        journal,
        gate,
        lines,
    }
}

impl Bench {
    async fn act(&self, how: &str) -> (Answer, Vec<&'static str>) {
        let request = Request::post(format!("/do/{how}"));
        let answer = send(&self.service, request.body(Body::empty()).unwrap()).await;
        self.service.settled().await;
        (answer, self.journal.take())
    }

    fn line(&self) -> (u16, String, String) {
        let mut lines = self.lines.0.lock().unwrap();
        assert_eq!(lines.len(), 1, "one line a request");
        lines.remove(0)
    }
}

#[tokio::test]
async fn a_success_is_committed_and_then_released_in_reverse_order() {
    let bench = bench(1);
    let (answer, journal) = bench.act("well").await;
    assert_eq!(answer.status, 200);
    assert_eq!(journal, ["handler", "commit", "first", "third"]);
    assert_eq!(bench.line(), (200, String::new(), String::new()));
}

#[tokio::test]
async fn an_error_is_rolled_back_and_released() {
    let bench = bench(1);
    let (answer, journal) = bench.act("fail").await;
    answer.is_problem(409, "it_failed");
    assert_eq!(journal, ["handler", "rollback", "first", "third"]);
    // An error response created by hand counts too.
    let (answer, journal) = bench.act("refuse").await;
    assert_eq!((answer.status, answer.text()), (409, "done"));
    assert_eq!(journal, ["handler", "rollback", "first", "third"]);
}

#[tokio::test]
async fn a_panic_is_500_discloses_nothing_and_is_rolled_back() {
    let bench = bench(1);
    let (answer, journal) = bench.act("panic").await;
    answer.is_problem(500, "internal");
    assert!(!answer.text().contains("on purpose"), "{}", answer.text());
    assert_eq!(journal, ["handler", "rollback", "first", "third"]);
    let (status, code, cause) = bench.line();
    assert_eq!((status, &*code), (500, "internal"));
    assert!(cause.contains("on purpose: 5"), "{cause}");
}

#[tokio::test]
async fn a_route_that_takes_too_long_is_503_and_rolled_back() {
    let bench = bench(1);
    let (answer, journal) = bench.act("hang").await;
    answer.is_problem(503, "timeout");
    assert_eq!(journal, ["handler", "rollback", "first", "third"]);
}

#[tokio::test]
async fn a_commit_that_is_cut_does_not_claim_that_nothing_happened() {
    let bench = bench(0);
    let (answer, journal) = bench.act("well").await;
    answer.is_problem(503, "outcome_unknown");
    assert_eq!(journal, ["handler", "first", "third"]);
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_nothing_behind() {
    let bench = bench(1);
    let request = Request::post("/wait").body(Body::empty()).unwrap();
    let service = bench.service.clone();
    let running = tokio::spawn(async move { service.handle(request, None).await });
    // It is in the handler: now the connection is closed, and the future is dropped.
    bench.gate.reached.acquire().await.unwrap().forget();
    running.abort();
    assert!(running.await.is_err());
    bench.service.settled().await;
    assert_eq!(bench.journal.take(), ["rollback", "first", "third"]);
}

#[tokio::test]
async fn unused_values_are_not_created() {
    let bench = bench(1);
    get(&bench.service, "/do/well")
        .await
        .is_problem(405, "method_not_allowed");
    let request = Request::post("/do/well?odd=1").body(Body::empty()).unwrap();
    send(&bench.service, request)
        .await
        .is_problem(422, "invalid");
    bench.service.settled().await;
    let journal = bench.journal.take();
    assert!(!journal.contains(&"handler"), "{journal:?}");
}

static STEPS: AtomicU32 = AtomicU32::new(0);

/// Leave something to do.
#[post("/leave", allow = anyone)]
async fn leave(teardown: Teardown) -> NoContent {
    teardown.push(async {
        STEPS.fetch_add(1, Ordering::SeqCst);
    });
    NoContent
}

#[tokio::test]
async fn a_handler_may_leave_work_for_the_end() {
    let service = crate::kit::service(routes![leave]);
    let request = Request::post("/leave").body(Body::empty()).unwrap();
    assert_eq!(send(&service, request).await.status, 204);
    service.settled().await;
    assert_eq!(STEPS.load(Ordering::SeqCst), 1);
}
