//! Runs one test, from its fresh database to its end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;

use crate::database::{Backend, Place};
use crate::{Subject, TestApp};

/// Runs a test on a fresh database, which is dropped on success and kept on failure.
#[allow(
    clippy::print_stderr,
    reason = "prints where the data of a failed test is"
)]
pub fn run<S, F, Fut>(backend: Backend, name: &str, test: F)
where
    S: Subject,
    F: FnOnce(S) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no runtime: {error}"));
    runtime.block_on(async {
        let place = Place::fresh::<S>(backend, name).await;
        let app = TestApp::start(S::app, S::setup(), &place).await;
        let outcome = AssertUnwindSafe(Box::pin(test(S::new(app.clone()))))
            .catch_unwind()
            .await;
        app.close().await;
        match outcome {
            Ok(()) => place.remove().await,
            Err(panic) => {
                eprintln!(
                    "the database of this test is kept until its next run: {}",
                    place.url()
                );
                resume_unwind(panic)
            }
        }
    });
}
