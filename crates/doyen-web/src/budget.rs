//! The memory that the server holds for its clients.
//!
//! A request that is still arriving and a response that is not read yet cost memory for as long as
//! the client likes. Each connection has an [`Account`] of what is held for it, and all accounts
//! together have a limit. Above the limit, connections of the client that holds the most are
//! closed, the largest first, until a quarter of the limit is free. A quarter above the limit,
//! nothing more is read from any connection until closed ones have released their memory.
//!
//! What is charged: request heads that are not complete, HTTP/2 requests until their response is
//! sent, request bodies until their handler returns, and response bodies until they are written.
//! Over HTTP/1.1 responses are charged once the socket does not accept more.
//!
//! It is an account of payloads, not of the allocator: buffers that grow take up to twice as much
//! for a moment.

mod account;
mod charge;
#[cfg(test)]
mod tests;

pub(crate) use account::Account;
pub(crate) use charge::Charge;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use doyen_core::sync::lock;

use account::Holder;

/// The limit of all connections together.
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// The same without closing connections.
    open: AtomicUsize,
    accounts: Mutex<HashMap<u64, Weak<Account>>>,
    next: AtomicU64,
    disconnected: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            accounts: Mutex::default(),
            next: AtomicU64::new(0),
            disconnected: AtomicU64::new(0),
        })
    }

    /// An account for a new connection. `client` is `None` for a trusted proxy.
    pub(crate) fn open(self: &Arc<Self>, client: Option<IpAddr>) -> Arc<Account> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let holder = client.map_or(Holder::Connection(id), Holder::Client);
        let account = Arc::new(Account::new(Arc::clone(self), id, holder));
        lock(&self.accounts).insert(id, Arc::downgrade(&account));
        account
    }

    /// Bytes that are held for all clients.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Connections closed so far because their client held the most.
    pub(crate) fn disconnected(&self) -> u64 {
        self.disconnected.load(Ordering::Relaxed)
    }

    fn is_over(&self) -> bool {
        self.open.load(Ordering::Relaxed) > self.limit
    }

    /// Closes connections of the clients that hold the most until a quarter of the limit is free.
    /// Stops before the client of `spared` and then returns false.
    fn reclaim(&self, spared: Option<&Account>) -> bool {
        // Dropped after the lock: the last reference to an account takes the lock too.
        let mut open: Vec<Arc<Account>> = Vec::new();
        let accounts = lock(&self.accounts);
        if !self.is_over() {
            return true;
        }
        open.extend(accounts.values().filter_map(Weak::upgrade));
        let mut held: HashMap<Holder, usize> = HashMap::new();
        for account in open.iter().filter(|account| !account.is_closing()) {
            *held.entry(account.holder).or_default() += account.used();
        }
        let mut holders: Vec<(Holder, usize)> = held.into_iter().collect();
        holders.sort_unstable_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let mut spared_is_reached = false;
        for (holder, bytes) in holders {
            if !self.is_over() {
                break;
            }
            if spared.is_some_and(|spared| spared.holder == holder) {
                spared_is_reached = true;
                break;
            }
            let connections = self.close_largest(holder, &open);
            tracing::warn!(
                ?holder,
                bytes,
                connections,
                "disconnected a client that held most of `server.buffer_limit`"
            );
        }
        drop(accounts);
        !spared_is_reached
    }

    /// Closes the largest connections of a client until a quarter of the limit is free.
    fn close_largest(&self, holder: Holder, open: &[Arc<Account>]) -> usize {
        let mut theirs: Vec<(usize, &Arc<Account>)> = open
            .iter()
            .filter(|account| account.holder == holder && !account.is_closing())
            .map(|account| (account.used(), account))
            // Closing one that holds nothing would free nothing.
            .filter(|(bytes, _)| *bytes > 0)
            .collect();
        theirs.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let target = self.limit / 4 * 3;
        let mut closed = 0;
        for (_, account) in theirs {
            if self.open.load(Ordering::Relaxed) <= target {
                break;
            }
            account.close();
            closed += 1;
        }
        self.disconnected.fetch_add(closed, Ordering::Relaxed);
        usize::try_from(closed).unwrap_or(usize::MAX)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("limit", &self.limit)
            .field("used", &self.used())
            .finish_non_exhaustive()
    }
}
