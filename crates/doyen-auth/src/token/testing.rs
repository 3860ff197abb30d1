//! Shared by the tests of this crate: a manual clock, and tokens with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doyen_core::{Caller, Clock, Timestamp};

use doyen_secret::Seed;

use crate::{KeyRing, TokenOptions, Tokens};

/// 2026-11-22 08:00 UTC.
pub(crate) const NOW: i64 = 1_795_334_400;
pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "https://api.test";

pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst) * 1_000_000)
    }
}

/// The seed of the ring of [`tokens`].
pub(crate) fn seed() -> Seed {
    Seed::parse("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap()
}

pub(crate) fn ring() -> KeyRing {
    KeyRing::new(&seed().deriver("signing")).unwrap()
}

pub(crate) fn options() -> TokenOptions {
    TokenOptions {
        leeway: Duration::ZERO,
        ..TokenOptions::new(ISSUER, AUDIENCE)
    }
}

pub(crate) fn tokens() -> (Arc<Tokens>, Arc<TestClock>) {
    with(ring(), options())
}

pub(crate) fn with(ring: KeyRing, options: TokenOptions) -> (Arc<Tokens>, Arc<TestClock>) {
    let clock = Arc::new(TestClock(AtomicI64::new(NOW)));
    let tokens = Tokens::new(ring, options, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    (Arc::new(tokens), clock)
}

pub(crate) fn caller() -> Caller {
    let mut caller = Caller::new("usr_1");
    caller.scopes = vec!["tickets:read".into(), "tickets:write".into()];
    caller.roles = vec!["agent".into()];
    caller.session = Some("ses_1".into());
    caller
}
