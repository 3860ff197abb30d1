//! The circuit breakers, on the admin address.

use std::sync::Arc;

use doyen_core::{Problem, Timestamp, anyone};
use doyen_macros::{get, put, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Json, Module};

use crate::breaker::{Snapshot, State};
use crate::pool::{Pool, Pools, host};

/// The routes.
pub(crate) fn module() -> Module {
    Module::new("breakers").routes(routes![breakers, set_breaker])
}

/// The circuit breakers of this process.
#[derive(Output)]
struct Breakers {
    /// Those of all hosts that were called, and of the hosts in the settings.
    breakers: Vec<BreakerView>,
}

/// A circuit breaker.
#[derive(Output)]
struct BreakerView {
    /// The name of the client.
    client: String,
    /// Host and port.
    host: String,
    /// State.
    state: BreakerState,
    /// Time at which the state began.
    since: Timestamp,
    /// Tries in the window; trial calls if it is half-open.
    tries: usize,
    /// Failed tries in the window.
    failures: usize,
    /// Number of tries in the window that decide.
    window: u32,
    /// Share of failed tries at which it opens, in percent.
    failure_percent: u32,
    /// Seconds that it stays open before trial calls.
    pause_seconds: f64,
}

/// The state of a circuit breaker.
#[derive(Output)]
enum BreakerState {
    /// Calls are made.
    Closed,
    /// Calls fail at once, until the pause is over.
    Open,
    /// Trial calls decide.
    HalfOpen,
    /// An operator opened it: calls fail at once, until it is closed.
    ForcedOpen,
}

/// A new state of a circuit breaker.
#[derive(Input)]
struct NewState {
    /// The name of the client.
    #[validate(length(max = 100))]
    client: String,
    /// Host and port: `api.example.com:443`.
    #[validate(length(max = 300))]
    host: String,
    /// The new state.
    state: WantedState,
}

/// A state that an operator can choose.
#[derive(Clone, Copy, Input, PartialEq)]
enum WantedState {
    /// Calls are made; former failures do not count.
    Closed,
    /// Calls fail at once, until it is closed.
    ForcedOpen,
}

/// Errors of changing a circuit breaker.
#[derive(Debug, Problem)]
enum SetBreaker {
    /// The client has no circuit breaker for this host. See `/breakers` for those that exist.
    #[problem(not_found, code = "not_found")]
    Missing,
}

/// List the circuit breakers
#[get("/breakers", allow = anyone, hidden)]
async fn breakers(pools: Arc<Pools>) -> Json<Breakers> {
    Json(list(&pools))
}

/// Close a circuit breaker or force it open, in this process
#[put("/breakers", allow = anyone, hidden)]
async fn set_breaker(
    pools: Arc<Pools>,
    Json(new): Json<NewState>,
) -> Result<Json<BreakerView>, SetBreaker> {
    let mut pools = pools.0.iter();
    let pool = pools.find(|pool| pool.name == new.client && pool.settings.breaker);
    let pool = pool.ok_or(SetBreaker::Missing)?;
    know_own_host(pool);
    let is_closed = new.state == WantedState::Closed;
    let changed = pool.breakers.set(&new.host, is_closed);
    let changed = changed.ok_or(SetBreaker::Missing)?;
    let (client, host) = (pool.name, &*new.host);
    let state = if is_closed { "closed" } else { "forced_open" };
    tracing::warn!(target: "outbound", client, host, state, "an operator changed the circuit breaker");
    Ok(Json(view(pool, new.host, changed)))
}

/// The breakers as JSON.
pub(crate) fn report(pools: &Pools) -> serde_json::Value {
    let list = serde_json::to_value(list(pools));
    list.unwrap_or_default()["breakers"].take()
}

/// Returns all breakers.
fn list(pools: &Pools) -> Breakers {
    let pools = pools.0.iter().filter(|pool| pool.settings.breaker);
    let of = |pool: &Arc<Pool>| {
        know_own_host(pool);
        let all = pool.breakers.list().into_iter();
        all.map(|(host, one)| view(pool, host, one))
            .collect::<Vec<_>>()
    };
    Breakers {
        breakers: pools.flat_map(of).collect(),
    }
}

/// The host in the settings has a breaker before its first call.
fn know_own_host(pool: &Pool) {
    if let Some(base) = &pool.base {
        pool.breakers.of(&host(base));
    }
}

fn view(pool: &Pool, host: String, one: Snapshot) -> BreakerView {
    let settings = &pool.settings;
    BreakerView {
        client: pool.name.to_owned(),
        host,
        state: match one.state {
            State::Closed => BreakerState::Closed,
            State::Open => BreakerState::Open,
            State::HalfOpen => BreakerState::HalfOpen,
            State::ForcedOpen => BreakerState::ForcedOpen,
        },
        since: one.since,
        tries: one.tries,
        failures: one.failures,
        window: settings.breaker_window,
        failure_percent: settings.breaker_failures,
        pause_seconds: settings.breaker_pause.as_secs_f64(),
    }
}
