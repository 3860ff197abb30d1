//! The limits of connections: of one user, of one address, and in total.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use doyen_core::problem::Plain;
use doyen_core::sync::lock;
use doyen_core::{Kind, ProblemInfo, Refusal};

use crate::LiveSettings;

/// The problem for a connection above a limit.
pub static TOO_MANY_CONNECTIONS: ProblemInfo = ProblemInfo {
    code: "too_many_connections",
    kind: Kind::TooManyRequests,
    title: "Too Many Connections",
    description: "The user, the client address or the server has its maximum number of live connections. `detail` says which. Close one, or try again later.",
};

/// When a rejected client may try again.
const RETRY_SECONDS: u32 = 5;

/// Counts the connections of this process.
#[derive(Debug, Default)]
pub(crate) struct Admission(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    total: u32,
    users: HashMap<Arc<str>, u32>,
    addresses: HashMap<IpAddr, u32>,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    user: Option<Arc<str>>,
    address: Option<IpAddr>,
}

impl Admission {
    /// Counts a connection, or rejects it.
    pub(crate) fn admit(
        self: &Arc<Self>,
        settings: &LiveSettings,
        user: Option<&Arc<str>>,
        address: Option<IpAddr>,
    ) -> Result<Admitted, Refusal> {
        let mut counts = lock(&self.0);
        let of_user = user.map_or(0, |user| counts.users.get(user).copied().unwrap_or(0));
        let of_address = address.map_or(0, |one| counts.addresses.get(&one).copied().unwrap_or(0));
        let limits = [
            ("the server", counts.total, settings.max_connections),
            ("the user", of_user, settings.max_per_user),
            ("the client address", of_address, settings.max_per_address),
        ];
        if let Some((whose, _, limit)) = limits.iter().find(|(_, count, limit)| count >= limit) {
            let detail = format!("{whose} has {limit} live connections, which is the maximum");
            let refused = Plain::new(&TOO_MANY_CONNECTIONS).detail(detail);
            return Err(refused.retry_after(RETRY_SECONDS).into());
        }
        counts.total += 1;
        if let Some(user) = user {
            *counts.users.entry(Arc::clone(user)).or_default() += 1;
        }
        if let Some(address) = address {
            *counts.addresses.entry(address).or_default() += 1;
        }
        Ok(Admitted {
            admission: Arc::clone(self),
            user: user.cloned(),
            address,
        })
    }

    /// Returns the number of connections.
    pub(crate) fn total(&self) -> u32 {
        lock(&self.0).total
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = lock(&self.admission.0);
        counts.total -= 1;
        if let Some(user) = &self.user {
            release(&mut counts.users, user);
        }
        if let Some(address) = &self.address {
            release(&mut counts.addresses, address);
        }
    }
}

/// Counts down. The entry of a last connection is removed, so that the maps stay bounded.
fn release<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
