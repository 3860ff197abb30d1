//! Concurrency classes: how many requests to expensive routes are handled at once.
//!
//! Without a class, a few dozen expensive requests take every database connection, and cheap
//! requests wait behind them. Requests of a full class wait for each other instead, first come,
//! first served. After a short wait they get a 503 with `Retry-After`. Requests outside of the
//! class do not wait.
//!
//! A request counts from the check of its query string until its response is ready. Use a class for
//! routes without a request body: a client that sends its body slowly holds its place.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Default wait for a place in a full class.
const DEFAULT_WAIT: Duration = Duration::from_millis(500);

/// Maximum waiting requests for each place. Further ones get a 503 at once, so that a flood of
/// expensive requests does not use up the concurrent requests of the server.
const MAX_WAITING_PER_PLACE: usize = 32;

/// A concurrency class, for `concurrency = class("search", 4)`. All routes that name the class
/// share its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrencyClass {
    name: &'static str,
    max: usize,
    wait: Duration,
    parameter: Option<&'static str>,
}

/// Creates a concurrency class with a name and the maximum number of concurrent requests.
///
/// ```
/// use doyen_core::anyone;
/// use doyen_web::{Route, Text, class};
///
/// async fn report() -> Text {
///     Text("report".into())
/// }
///
/// Route::get("/report").allow(anyone).concurrency(class("reports", 2)).handler(report);
/// ```
pub const fn class(name: &'static str, max: usize) -> ConcurrencyClass {
    ConcurrencyClass {
        name,
        max,
        wait: DEFAULT_WAIT,
        parameter: None,
    }
}

impl ConcurrencyClass {
    /// Counts only requests that have this query parameter.
    #[must_use]
    pub const fn with_query(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }

    /// Sets the maximum wait for a place. Default 500 ms.
    #[must_use]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

/// The class of a mounted route.
pub(crate) struct RouteClass {
    gate: Arc<Gate>,
    pub(crate) parameter: Option<&'static str>,
}

/// The places of a class.
struct Gate {
    places: Semaphore,
    waiting: AtomicUsize,
    max_waiting: usize,
    wait: Duration,
}

/// A waiting request, until it is dropped.
struct Waiting<'a>(&'a Gate);

impl RouteClass {
    /// Waits for a place. Returns `None` if the class stays full.
    pub(crate) async fn admit(&self) -> Option<SemaphorePermit<'_>> {
        let gate = &*self.gate;
        // The common case needs no timer.
        if let Ok(permit) = gate.places.try_acquire() {
            return Some(permit);
        }
        let waiting = Waiting(gate);
        if gate.waiting.fetch_add(1, Ordering::Relaxed) >= gate.max_waiting {
            return None;
        }
        let acquired = tokio::time::timeout(gate.wait, gate.places.acquire()).await;
        drop(waiting);
        acquired.ok()?.ok()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The classes of an application, by name.
#[derive(Default)]
pub(crate) struct Classes(HashMap<&'static str, (ConcurrencyClass, Arc<Gate>)>);

impl Classes {
    /// Returns the class of a route with these query parameters.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the class.
    pub(crate) fn mount(
        &mut self,
        class: &ConcurrencyClass,
        parameters: &[String],
    ) -> Result<RouteClass, String> {
        let ConcurrencyClass { name, max, .. } = *class;
        if max == 0 {
            return Err(format!(
                "the concurrency class `{name}` admits no request. Allow at least one"
            ));
        }
        if let Some(parameter) = class.parameter
            && !parameters.iter().any(|known| known == parameter)
        {
            return Err(format!(
                "the concurrency class `{name}` counts requests with `{parameter}`, which is no query parameter of this route"
            ));
        }
        let (first, gate) = self.0.entry(name).or_insert_with(|| {
            let gate = Gate {
                places: Semaphore::new(max),
                waiting: AtomicUsize::new(0),
                max_waiting: max * MAX_WAITING_PER_PLACE,
                wait: class.wait,
            };
            (class.clone(), Arc::new(gate))
        });
        if (first.max, first.wait) != (max, class.wait) {
            return Err(format!(
                "the concurrency class `{name}` has other limits on another route. Declare it once, as a constant"
            ));
        }
        Ok(RouteClass {
            gate: Arc::clone(gate),
            parameter: class.parameter,
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_class_admits_after_a_wait_or_not_at_all() {
        let mut classes = Classes::default();
        let one = classes.mount(&class("one", 1), &[]).unwrap();
        let again = classes.mount(&class("one", 1), &[]).unwrap();
        let held = one.admit().await.unwrap();
        assert!(again.admit().await.is_none(), "they share their places");
        let mut waiting: Vec<_> = (0..MAX_WAITING_PER_PLACE)
            .map(|_| Box::pin(one.admit()))
            .collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().now_or_never().is_none());
        }
        let full = one.admit().now_or_never();
        assert!(matches!(full, Some(None)), "no place even to wait");
        drop(held);
        let admitted = waiting.remove(0).await;
        assert!(admitted.is_some(), "first come, first served");
        drop((admitted, waiting));
        assert_eq!(one.gate.waiting.load(Ordering::Relaxed), 0);
        assert!(one.admit().await.is_some());
    }

    #[test]
    fn mistakes_are_reported() {
        let mut classes = Classes::default();
        let q = ["q".to_owned()];
        assert!(classes.mount(&class("a", 2).with_query("q"), &q).is_ok());
        for (wrong, reason) in [
            (class("a", 3), "other limits"),
            (class("a", 2).wait(Duration::ZERO), "other limits"),
            (class("b", 0), "at least one"),
            (class("b", 1).with_query("p"), "no query parameter"),
        ] {
            let error = classes.mount(&wrong, &q).err().unwrap();
            assert!(error.contains(reason), "{error}");
        }
    }
}
