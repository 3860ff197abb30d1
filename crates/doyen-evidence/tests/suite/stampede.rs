//! A cached value that several requests load at the same time.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doyen::cache::Engine;
use doyen::prelude::*;
use doyen_test::{Answer, Subject, TestApp};
use tokio::sync::Semaphore;

const REPORT: CachePolicy = CachePolicy::new("report", MINUTE);

/// An application with a cached report.
pub(crate) struct Reports(TestApp);

impl Subject for Reports {
    fn app() -> App {
        let routes = routes![report, coalesced];
        let loads = Arc::new(Loads {
            begun: AtomicUsize::new(0),
            first: Semaphore::new(0),
        });
        App::new("reports").module(Module::new("reports").routes(routes).provide(loads))
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Reports {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// The loads that have begun. The first one waits for the test.
pub(crate) struct Loads {
    begun: AtomicUsize,
    first: Semaphore,
}

impl Loads {
    /// Returns the number of this load. The test releases the first one.
    async fn begin(&self) -> Result<usize, Unexpected> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst);
        if number == 0 {
            self.first.acquire().await?.forget();
        }
        Ok(number)
    }
}

/// A report.
#[derive(Output)]
struct Report {
    number: usize,
}

/// Errors of reports.
#[derive(Debug, Problem)]
enum ReportError {
    /// The report does not exist now.
    #[problem(unavailable, code = "no_report")]
    None,
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Get a report whose first load fails, while others wait for it
///
/// Each of the others then loads, and ends once all have begun.
#[get("/reports/{requests}", allow = anyone)]
async fn report(
    cache: Cache,
    loads: Arc<Loads>,
    requests: usize,
) -> Result<Json<Report>, ReportError> {
    let load = || async {
        let number = loads.begin().await?;
        if number == 0 {
            return Err(ReportError::None);
        }
        until(|| loads.begun.load(Ordering::SeqCst) >= requests).await;
        Ok(number)
    };
    let entry = cache.shared().entry(&REPORT, requests);
    let number = entry.get_or_load(load).await?;
    Ok(Json(Report { number }))
}

/// Get a report that is loaded once
#[get("/coalesced", allow = anyone)]
async fn coalesced(cache: Cache, loads: Arc<Loads>) -> Result<Json<Report>, Unexpected> {
    let entry = cache.shared().entry(&REPORT, "coalesced");
    let number = entry.get_or_load(|| loads.begin()).await?;
    Ok(Json(Report { number }))
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Reports {
    /// Sends so many requests. Once all but one wait, the first load ends.
    async fn at_once(&self, path: &str, requests: usize) -> Vec<Answer> {
        let engine: Arc<Engine> = self.inject().await;
        let loads: Arc<Loads> = self.inject().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..requests {
            let call = self.get(path);
            tasks.spawn(async move { call.send().await });
        }
        let others = u64::try_from(requests - 1).unwrap();
        until(|| engine.stats().waits == others).await;
        loads.first.add_permits(1);
        tasks.join_all().await
    }
}

fn findings(answers: &[Answer]) -> Vec<&doyen_test::Finding> {
    answers
        .iter()
        .flat_map(|answer| answer.findings())
        .collect()
}

#[doyen_test::test(sqlite)]
async fn a_value_that_all_waiting_requests_load_is_found(reports: Reports) {
    let answers = reports.at_once("/reports/8", 8).await;
    let failed = answers.iter().filter(|answer| answer.status() == 503);
    assert_eq!(failed.count(), 1);
    // Seven load at once: the last three of them have at least four others.
    let found = findings(&answers);
    assert!(found.len() >= 3, "{found:?}");
    for finding in found {
        assert_eq!(finding.code, "cache_stampede");
        assert_eq!(finding.cache.as_deref(), Some("report"));
        assert_eq!(finding.route, "/reports/{requests}");
        assert!(finding.count >= Some(5), "{finding:?}");
        assert!(finding.cure.contains("stale"), "{}", finding.cure);
    }
}

#[doyen_test::test(sqlite)]
async fn a_few_loads_and_a_load_that_all_share_are_none(reports: Reports) {
    let answers = reports.at_once("/reports/4", 4).await;
    assert_eq!(findings(&answers), Vec::<&doyen_test::Finding>::new());
    let other = Reports(reports.another(Reports::setup()).await);
    let answers = other.at_once("/coalesced", 20).await;
    let loads: Arc<Loads> = other.inject().await;
    assert_eq!(loads.begun.load(Ordering::SeqCst), 1);
    assert!(answers.iter().all(|answer| answer.status() == 200));
    assert_eq!(findings(&answers), Vec::<&doyen_test::Finding>::new());
}
