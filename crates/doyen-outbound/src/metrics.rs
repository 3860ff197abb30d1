//! The metrics of all clients. Labels are names of clients and kinds of results, never hosts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use doyen_app::{Alert, Family, Samples};

use crate::{CallError, CallErrorKind, Pool, Response};

const CALLS: &str = "outbound_calls_total";
const TRIES: &str = "outbound_tries_total";
const SECONDS: &str = "outbound_call_seconds";
const RUNNING: &str = "outbound_running_calls";
const WAITING: &str = "outbound_waiting_calls";
const BREAKERS: &str = "outbound_breakers";

pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(CALLS, "Calls of other services, by result.").labels(&["client", "result"]),
    Family::counter(TRIES, "Requests sent for these calls, with all retries.").labels(&["client"]),
    Family::histogram(SECONDS, "Time of a call with all its tries.").labels(&["client"]),
    Family::gauge(RUNNING, "Calls that run now.").labels(&["client"]),
    Family::gauge(WAITING, "Calls that wait for a place of the bulkhead.").labels(&["client"]),
    Family::gauge(
        BREAKERS,
        "Hosts whose circuit breaker is not closed, by state.",
    )
    .labels(&["client", "state"])
    .alerts(&[Alert::warning(
        "CircuitBreakerOpen",
        "max by (job, client) (max_over_time(outbound_breakers{$app, state=\"open\"}[5m])) > 0",
        "A service that is called does not work: its circuit breaker opens again and again.",
    )
    .lasting(Duration::from_mins(5))]),
];

const RESULTS: [&str; 13] = [
    "2xx",
    "3xx",
    "4xx",
    "5xx",
    "invalid",
    "forbidden",
    "saturated",
    "breaker_open",
    "timeout",
    "connect",
    "transport",
    "too_large",
    "cancelled",
];
const BOUNDS: [&str; 8] = ["0.01", "0.05", "0.1", "0.5", "1", "2.5", "5", "10"];
const BOUNDS_MS: [u128; 8] = [10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000];

/// The counters of one client.
#[derive(Default)]
pub(crate) struct Counters {
    results: [AtomicU64; RESULTS.len()],
    pub(crate) tries: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Counters {
    /// Counts a call. `None` is a call that was cancelled, as by a client that disconnects.
    pub(crate) fn count(&self, result: Option<&Result<Response, CallError>>, time: Duration) {
        let name = result.map_or("cancelled", |result| match result {
            Ok(response) => match response.status().as_u16() {
                ..300 => "2xx",
                300..400 => "3xx",
                400..500 => "4xx",
                500.. => "5xx",
            },
            Err(error) => error_name(error.kind()),
        });
        let index = RESULTS.iter().position(|known| *known == name);
        add(&self.results[index.unwrap_or(0)], 1);
        let millis = time.as_millis();
        let bucket = BOUNDS_MS.iter().position(|bound| millis <= *bound);
        add(&self.buckets[bucket.unwrap_or(BOUNDS.len())], 1);
        add(&self.micros, u64::try_from(time.as_micros()).unwrap_or(0));
    }
}

pub(crate) fn error_name(kind: CallErrorKind) -> &'static str {
    match kind {
        CallErrorKind::Invalid | CallErrorKind::Status(_) | CallErrorKind::Body => "invalid",
        CallErrorKind::Forbidden => "forbidden",
        CallErrorKind::Saturated => "saturated",
        CallErrorKind::BreakerOpen => "breaker_open",
        CallErrorKind::Timeout => "timeout",
        CallErrorKind::Connect => "connect",
        CallErrorKind::Transport => "transport",
        CallErrorKind::TooLarge => "too_large",
    }
}

fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}

pub(crate) fn collect(pools: &[Arc<Pool>], samples: &mut Samples) {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    for pool in pools {
        let (client, counters) = (("client", pool.name), &pool.counters);
        for (result, counter) in RESULTS.iter().zip(&counters.results) {
            samples.value(CALLS, &[client, ("result", result)], get(counter));
        }
        samples.value(TRIES, &[client], get(&counters.tries));
        let counts: Vec<u64> = counters.buckets.iter().map(get).collect();
        let seconds = get(&counters.micros) as f64 / 1e6;
        samples.histogram(SECONDS, &[client], &BOUNDS, &counts, seconds);
        samples.value(RUNNING, &[client], pool.bulkhead.running());
        samples.value(WAITING, &[client], pool.bulkhead.waiting());
        for (state, hosts) in ["open", "half_open"].into_iter().zip(pool.breakers.count()) {
            samples.value(BREAKERS, &[client, ("state", state)], hosts);
        }
    }
}
