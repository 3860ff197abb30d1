//! The page on background jobs.

use std::time::Duration;

use doyen::domain::HOUR;
use doyen::jobs::Worker;
use doyen_test::{Setup, TestApp};
use serde_json::json;

struct Jobs(TestApp);

impl doyen_test::Subject for Jobs {
    fn app() -> doyen::App {
        crate::of(docs_src::jobs::module())
    }
    fn setup() -> Setup {
        Setup::new().set("jobs.work", "false")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Jobs {
    async fn places(&self, number: u32) -> String {
        let call = self.0.post("/orders").json(&json!({"number": number}));
        call.send().await.expect(202).text_at("/job")
    }

    async fn run_due(&self) -> usize {
        let worker = self.0.inject::<Worker>().await;
        worker
            .run_due()
            .await
            .unwrap_or_else(|error| panic!("{}", error.error()))
    }

    async fn status(&self, job: &str) -> String {
        self.0
            .get(format!("/jobs/{job}"))
            .send()
            .await
            .expect(200)
            .text()
    }
}

#[doyen_test::test]
async fn a_receipt_is_printed_once_and_a_failure_is_repeated(jobs: Jobs) {
    let good = jobs.places(7).await;
    assert_eq!(jobs.places(7).await, good);
    let bad = jobs.places(0).await;
    assert_eq!(jobs.status(&good).await, "queued");
    assert_eq!(jobs.run_due().await, 2);
    assert_eq!(jobs.status(&good).await, "done");
    assert_eq!(jobs.status(&bad).await, "queued");
    for _ in 2..=10 {
        jobs.0.clock().advance(HOUR + Duration::from_secs(15 * 60));
        assert!(jobs.run_due().await >= 1);
    }
    assert_eq!(jobs.status(&bad).await, "failed");
}
