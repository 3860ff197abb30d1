//! The circuit breaker of one host.
//!
//! ```text
//!          failures in the window             pause is over
//!  closed ───────────────────────▶ open ───────────────────▶ half-open: exactly n trials
//!    ▲                              ▲                              │            │
//!    │                              └──────── one trial fails ─────┘            │
//!    └──────────────────────────────────────── all n succeed ───────────────────┘
//! ```
//!
//! An operator can force it open, until it is closed again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_core::sync::lock;
use doyen_core::{Clock, Timestamp};

use crate::ClientSettings;

/// Maximum number of hosts with a breaker, in one client. Beyond it, a host without recent failures
/// loses its own.
const MAX_HOSTS: usize = 1_024;

/// When a breaker opens and closes.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    window: usize,
    failures: usize,
    pause: Duration,
    trials: u32,
}

impl Rules {
    pub(crate) fn new(settings: &ClientSettings) -> Self {
        let window = settings.breaker_window as usize;
        Self {
            window,
            failures: (window * settings.breaker_failures as usize).div_ceil(100),
            pause: settings.breaker_pause,
            trials: settings.breaker_trials,
        }
    }
}

/// The state of a breaker, as metrics show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Closed,
    Open,
    HalfOpen,
    ForcedOpen,
}

enum Phase {
    /// The latest results, oldest first: true for a failure.
    Closed(VecDeque<bool>),
    Open,
    HalfOpen {
        admitted: u32,
        succeeded: u32,
    },
    ForcedOpen,
}

impl Phase {
    fn state(&self) -> State {
        match self {
            Phase::Closed(_) => State::Closed,
            Phase::Open => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
            Phase::ForcedOpen => State::ForcedOpen,
        }
    }
}

/// A phase, its number, and when it began.
struct Current {
    number: u64,
    since: Timestamp,
    phase: Phase,
}

impl Current {
    fn begin(&mut self, phase: Phase, now: Timestamp) {
        self.number += 1;
        self.since = now;
        self.phase = phase;
    }
}

/// What a breaker knows, for operators.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) state: State,
    pub(crate) since: Timestamp,
    /// Tries in the window, or trials that were admitted.
    pub(crate) tries: usize,
    /// Failed tries in the window.
    pub(crate) failures: usize,
}

/// A breaker. Calls that began in an earlier phase do not count in a later one.
pub(crate) struct Breaker {
    rules: Rules,
    clock: Arc<dyn Clock>,
    current: Mutex<Current>,
}

impl Breaker {
    fn new(rules: Rules, clock: Arc<dyn Clock>) -> Self {
        let current = Mutex::new(Current {
            number: 0,
            since: clock.now(),
            phase: Phase::Closed(VecDeque::new()),
        });
        Self {
            rules,
            clock,
            current,
        }
    }

    /// Admits one try, or returns the time until the next trial.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Admission, Duration> {
        let mut current = lock(&self.current);
        if matches!(current.phase, Phase::Open) {
            let now = self.clock.now();
            let open = now.since(current.since);
            // A clock that was set back must not keep the breaker open.
            if open < self.rules.pause && now >= current.since {
                return Err(self.rules.pause - open);
            }
            let half_open = Phase::HalfOpen {
                admitted: 0,
                succeeded: 0,
            };
            current.begin(half_open, now);
        }
        let is_trial = match &mut current.phase {
            Phase::ForcedOpen => return Err(self.rules.pause),
            Phase::HalfOpen { admitted, .. } if *admitted >= self.rules.trials => {
                return Err(self.rules.pause);
            }
            Phase::HalfOpen { admitted, .. } => {
                *admitted += 1;
                true
            }
            _ => false,
        };
        Ok(Admission {
            breaker: Arc::clone(self),
            phase: current.number,
            is_trial,
            is_recorded: false,
        })
    }

    /// Records a result. Returns the new state if it changed.
    fn record(&self, phase_of_try: u64, failed: bool) -> Option<State> {
        let mut current = lock(&self.current);
        if current.number != phase_of_try {
            return None;
        }
        let next = match &mut current.phase {
            Phase::Closed(results) => {
                results.push_back(failed);
                if results.len() > self.rules.window {
                    results.pop_front();
                }
                let failures = results.iter().filter(|failed| **failed).count();
                let full = results.len() >= self.rules.window;
                (full && failures >= self.rules.failures).then_some(Phase::Open)
            }
            Phase::HalfOpen { .. } if failed => Some(Phase::Open),
            Phase::HalfOpen { succeeded, .. } => {
                *succeeded += 1;
                (*succeeded >= self.rules.trials).then(|| Phase::Closed(VecDeque::new()))
            }
            Phase::Open | Phase::ForcedOpen => None,
        };
        current.begin(next?, self.clock.now());
        Some(current.phase.state())
    }

    /// Closes it, or forces it open. Tries that run do not count any more.
    fn set(&self, is_closed: bool) {
        let phase = if is_closed {
            Phase::Closed(VecDeque::new())
        } else {
            Phase::ForcedOpen
        };
        lock(&self.current).begin(phase, self.clock.now());
    }

    pub(crate) fn state(&self) -> State {
        lock(&self.current).phase.state()
    }

    fn snapshot(&self) -> Snapshot {
        let current = lock(&self.current);
        let (tries, failures) = match &current.phase {
            Phase::Closed(results) => (
                results.len(),
                results.iter().filter(|failed| **failed).count(),
            ),
            Phase::HalfOpen { admitted, .. } => (*admitted as usize, 0),
            Phase::Open | Phase::ForcedOpen => (0, 0),
        };
        Snapshot {
            state: current.phase.state(),
            since: current.since,
            tries,
            failures,
        }
    }

    /// True if forgetting it changes nothing that matters.
    fn is_idle(self: &Arc<Self>) -> bool {
        let quiet = match &lock(&self.current).phase {
            Phase::Closed(results) => !results.contains(&true),
            _ => false,
        };
        quiet && Arc::strong_count(self) == 1
    }
}

/// The permission for one try. A trial that is dropped without a result has failed: otherwise
/// another could take its place, and more than n would reach the host.
pub(crate) struct Admission {
    breaker: Arc<Breaker>,
    phase: u64,
    is_trial: bool,
    is_recorded: bool,
}

impl Admission {
    /// Records the result of the try. Returns the new state of the breaker if it changed.
    pub(crate) fn record(mut self, failed: bool) -> Option<State> {
        self.is_recorded = true;
        self.breaker.record(self.phase, failed)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.is_trial && !self.is_recorded {
            let _ = self.breaker.record(self.phase, true);
        }
    }
}

/// The breakers of the hosts of one client.
pub(crate) struct Breakers {
    rules: Rules,
    clock: Arc<dyn Clock>,
    hosts: Mutex<HashMap<String, Arc<Breaker>>>,
}

impl Breakers {
    pub(crate) fn new(rules: Rules, clock: Arc<dyn Clock>) -> Self {
        Self {
            rules,
            clock,
            hosts: Mutex::default(),
        }
    }

    /// Returns the breaker of this host (`example.com:443`).
    pub(crate) fn of(&self, host: &str) -> Arc<Breaker> {
        let mut hosts = lock(&self.hosts);
        if let Some(breaker) = hosts.get(host) {
            return Arc::clone(breaker);
        }
        if hosts.len() >= MAX_HOSTS {
            make_room(&mut hosts);
        }
        let breaker = Arc::new(Breaker::new(self.rules, Arc::clone(&self.clock)));
        hosts.insert(host.to_owned(), Arc::clone(&breaker));
        breaker
    }

    /// Returns the state of this host; closed if it was not called.
    pub(crate) fn state(&self, host: &str) -> State {
        let breaker = lock(&self.hosts).get(host).cloned();
        breaker.map_or(State::Closed, |breaker| breaker.state())
    }

    /// Returns the number of hosts whose breaker is open, and half-open.
    pub(crate) fn count(&self) -> [usize; 2] {
        let hosts = lock(&self.hosts);
        let count = |state| hosts.values().filter(|one| one.state() == state).count();
        let open = count(State::Open) + count(State::ForcedOpen);
        [open, count(State::HalfOpen)]
    }

    /// Returns the breakers, by host.
    pub(crate) fn list(&self) -> BTreeMap<String, Snapshot> {
        let hosts = lock(&self.hosts);
        let hosts = hosts.iter();
        hosts
            .map(|(host, one)| (host.clone(), one.snapshot()))
            .collect()
    }

    /// Closes the breaker of this host, or forces it open. Returns `None` for an unknown host.
    pub(crate) fn set(&self, host: &str, is_closed: bool) -> Option<Snapshot> {
        let breaker = lock(&self.hosts).get(host).cloned()?;
        breaker.set(is_closed);
        Some(breaker.snapshot())
    }
}

fn make_room(hosts: &mut HashMap<String, Arc<Breaker>>) {
    hosts.retain(|_, breaker| !breaker.is_idle());
    if hosts.len() >= MAX_HOSTS {
        // What an operator decided is kept as long as possible.
        let is_forced = |breaker: &Breaker| breaker.state() == State::ForcedOpen;
        let mut others = hosts.iter().filter(|(_, breaker)| !is_forced(breaker));
        let victim = others.next().or_else(|| hosts.iter().next());
        let victim = victim.map(|(host, _)| host.clone());
        victim.and_then(|host| hosts.remove(&host));
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::SystemClock;

    use super::*;

    #[test]
    fn the_number_of_hosts_is_bounded() {
        let rules = Rules {
            window: 1,
            failures: 1,
            pause: Duration::from_secs(1),
            trials: 1,
        };
        let breakers = Breakers::new(rules, Arc::new(SystemClock));
        for number in 0..3 * MAX_HOSTS {
            let breaker = breakers.of(&format!("{number}.example.com:443"));
            let admitted = breaker.admit().unwrap_or_else(|_| panic!("it is closed"));
            let _ = admitted.record(number % 3 != 0);
            assert!(lock(&breakers.hosts).len() <= MAX_HOSTS);
        }
    }
}
