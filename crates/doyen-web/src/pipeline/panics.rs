//! Panics as errors.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use doyen_core::{Refusal, Unexpected};
use futures_util::FutureExt as _;

/// Runs work, and turns its panic into an error.
pub(super) async fn caught<T>(
    work: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => Err(unexpected(&*panic).into()),
    }
}

/// Returns the error of a panic.
pub(super) fn unexpected(panic: &(dyn Any + Send)) -> Unexpected {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Unexpected::new(format!("panicked: {}", text.unwrap_or("no message")))
}
