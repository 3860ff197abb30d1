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

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

/// A single body counts as at most this fraction of the limit, so that a response which is larger
/// than the whole limit can still be sent.
const MAX_SHARE: usize = 4;

/// Reading pauses when the limit is exceeded by this fraction: what closing connections hold is not
/// free yet.
const MAX_EXCESS: usize = 4;

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

/// What is held for one connection.
pub(crate) struct Account {
    budget: Arc<Budget>,
    id: u64,
    holder: Holder,
    held: Mutex<Held>,
    close: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    bytes: usize,
    /// Those of responses that are not sent yet.
    responses: usize,
    is_closing: bool,
}

/// Whose memory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    /// All connections from one network.
    Client(IpAddr),
    /// One connection of a trusted proxy, which speaks for many clients.
    Connection(u64),
}

/// Bytes that are held: released when dropped.
pub(crate) struct Charge {
    account: Arc<Account>,
    bytes: usize,
    is_response: bool,
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
        let account = Arc::new(Account {
            budget: Arc::clone(self),
            id,
            holder: client.map_or(Holder::Connection(id), Holder::Client),
            held: Mutex::default(),
            close: Notify::new(),
        });
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

    /// Closes connections of those who hold the most until a quarter of the limit is free. False if
    /// `spared` is among them: then nothing is closed.
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

impl Account {
    /// Bytes that are held for this connection.
    pub(crate) fn used(&self) -> usize {
        lock(&self.held).bytes
    }

    /// True if so many responses are not read that the connection gets no further ones.
    pub(crate) fn is_full(&self) -> bool {
        lock(&self.held).responses > self.budget.limit / MAX_SHARE
    }

    /// True if this is a client's own connection, not one of a trusted proxy for many clients.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self.holder, Holder::Client(_))
    }

    /// Charges bytes. If the limit is reached, the client that holds the most is disconnected,
    /// which may be this one.
    pub(crate) fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        let mut charge = Charge {
            account: Arc::clone(self),
            bytes: 0,
            is_response: false,
        };
        charge.add(bytes);
        charge
    }

    /// True while nothing more is to be read from clients.
    pub(crate) fn must_pause(&self) -> bool {
        let limit = self.budget.limit;
        self.budget.used() > limit.saturating_add(limit / MAX_EXCESS)
    }

    /// Completes when the connection is to be closed.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    pub(crate) fn is_closing(&self) -> bool {
        lock(&self.held).is_closing
    }

    fn close(&self) {
        let mut held = lock(&self.held);
        if !std::mem::replace(&mut held.is_closing, true) {
            self.budget.open.fetch_sub(held.bytes, Ordering::Relaxed);
            self.close.notify_one();
        }
    }

    fn add(&self, bytes: usize, is_response: bool) {
        let mut held = lock(&self.held);
        held.bytes += bytes;
        held.responses += if is_response { bytes } else { 0 };
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        if !held.is_closing {
            self.budget.open.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn remove(&self, bytes: usize, is_response: bool) {
        let mut held = lock(&self.held);
        held.bytes -= bytes;
        held.responses -= if is_response { bytes } else { 0 };
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
        if !held.is_closing {
            self.budget.open.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        lock(&self.budget.accounts).remove(&self.id);
    }
}

impl Charge {
    /// Bytes that are charged.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// True if the connection is to be closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.account.is_closing()
    }

    /// Another charge of the same account and kind.
    pub(crate) fn sibling(&self, bytes: usize) -> Self {
        let mut sibling = Self {
            account: Arc::clone(&self.account),
            bytes: 0,
            is_response: self.is_response,
        };
        sibling.add(bytes);
        sibling
    }

    /// From now on the charge of a response.
    pub(crate) fn into_response(mut self) -> Self {
        if !std::mem::replace(&mut self.is_response, true) {
            lock(&self.account.held).responses += self.bytes;
        }
        self
    }

    /// Charges exactly so many bytes.
    pub(crate) fn set(&mut self, bytes: usize) {
        match bytes.checked_sub(self.bytes) {
            Some(more) if more > 0 => self.add(more),
            Some(_) => {}
            None => self.remove(self.bytes - bytes),
        }
    }

    /// The bytes, charged until the last reference to them is dropped.
    pub(crate) fn attach(self, bytes: Bytes) -> Bytes {
        struct Charged(Bytes, #[allow(dead_code, reason = "held, not read")] Charge);

        impl AsRef<[u8]> for Charged {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        Bytes::from_owner(Charged(bytes, self))
    }

    /// Charges more. If the limit is reached, the client that holds the most is disconnected, which
    /// may be this one.
    pub(crate) fn add(&mut self, bytes: usize) {
        if !self.fits(bytes) {
            self.account.budget.reclaim(None);
        }
    }

    /// Charges more, unless the limit is reached and this client holds the most.
    pub(crate) fn try_add(&mut self, bytes: usize) -> bool {
        if self.fits(bytes) || self.account.budget.reclaim(Some(&self.account)) {
            return true;
        }
        self.remove(bytes);
        false
    }

    /// Adds bytes; false if all accounts together are over the limit now.
    fn fits(&mut self, bytes: usize) -> bool {
        let budget = &self.account.budget;
        let bytes = bytes.min(budget.limit / MAX_SHARE);
        self.bytes += bytes;
        self.account.add(bytes, self.is_response);
        !budget.is_over()
    }

    /// Releases bytes.
    pub(crate) fn remove(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.account.remove(bytes, self.is_response);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.remove(self.bytes);
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

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("holder", &self.holder)
            .field("used", &self.used())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Charge").field(&self.bytes).finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    #[test]
    fn what_is_dropped_is_released() {
        let budget = Budget::new(1_000);
        let account = budget.open(client(1));
        let mut charge = account.charge(100);
        charge.add(50);
        assert_eq!((budget.used(), account.used()), (150, 150));
        drop(charge);
        assert_eq!((budget.used(), account.used()), (0, 0));
        drop(account);
        assert!(lock(&budget.accounts).is_empty());
    }

    #[test]
    fn the_client_that_holds_the_most_loses_its_largest_connections() {
        let budget = Budget::new(1_000);
        let [small, large, other] = [client(1), client(1), client(2)].map(|at| budget.open(at));
        let _held = (small.charge(100), other.charge(250), other.charge(100));
        let _more = (large.charge(250), large.charge(250));
        assert!(!large.is_closing());
        let _last_straw = other.charge(100);
        assert!(
            large.is_closing(),
            "600 of client 1 against 450 of client 2"
        );
        assert!(!small.is_closing() && !other.is_closing());
        assert_eq!(budget.disconnected(), 1);
    }

    #[test]
    fn connections_of_a_proxy_are_clients_of_their_own() {
        let budget = Budget::new(1_000);
        let [first, second] = [None, None].map(|at| budget.open(at));
        let direct = budget.open(client(1));
        let _held = (first.charge(250), second.charge(250), direct.charge(250));
        let _more = (direct.charge(200), second.charge(100));
        assert!(direct.is_closing() && !first.is_closing() && !second.is_closing());
    }

    #[test]
    fn the_largest_is_refused_where_it_can_be_and_others_make_room() {
        let budget = Budget::new(1_000);
        let [large, small] = [client(1), client(2)].map(|at| budget.open(at));
        let mut mine = large.charge(250);
        assert!(mine.try_add(250) && mine.try_add(250));
        let mut theirs = small.charge(200);
        assert!(!mine.try_add(100), "it holds the most");
        assert_eq!((budget.used(), large.is_closing()), (950, false));
        assert!(theirs.try_add(100));
        assert!(large.is_closing() && !small.is_closing());
    }

    /// Until a closed connection is gone, what it holds is not counted twice.
    #[test]
    fn nobody_else_is_closed_while_one_is_on_its_way_out() {
        let budget = Budget::new(1_000);
        let accounts = [1, 2, 3].map(|at| budget.open(client(at)));
        let _held: Vec<Charge> = [(0, 250), (0, 250), (1, 250), (2, 200)]
            .map(|(at, bytes)| accounts[at].charge(bytes))
            .into();
        let _more = [accounts[2].charge(100), accounts[2].charge(100)];
        // A response that was being made when its connection was told to close.
        let _late = accounts[0].charge(250);
        let closing = accounts.each_ref().map(|account| account.is_closing());
        assert_eq!(closing, [true, false, false]);
    }

    /// Only those of the client that holds the most, though another has the largest connection.
    #[test]
    fn connections_of_other_clients_stay_open() {
        let budget = Budget::new(1_000);
        let most = [1, 1, 1].map(|at| budget.open(client(at)));
        let other = budget.open(client(2));
        let _held = (other.charge(200), other.charge(200));
        let _theirs = most.each_ref().map(|account| account.charge(201));
        assert!(!other.is_closing());
        assert!(most.iter().any(|account| account.is_closing()));
    }

    #[test]
    fn the_limit_itself_may_be_used() {
        let budget = Budget::new(1_000);
        let accounts = [1, 2, 3, 4].map(|at| budget.open(client(at)));
        let _held = accounts.each_ref().map(|account| account.charge(250));
        assert!(accounts.iter().all(|account| !account.is_closing()));
        let _one_more = accounts[0].charge(1);
        assert!(accounts[0].is_closing());
    }

    /// What a closing connection releases is no longer counted, and nothing else is.
    #[test]
    fn a_connection_that_is_gone_leaves_the_account_right() {
        let budget = Budget::new(1_000);
        let [large, small] = [client(1), client(2)].map(|at| budget.open(at));
        let held = [250; 4].map(|bytes| large.charge(bytes));
        let straw = small.charge(1);
        assert!(large.is_closing() && !small.is_closing());
        assert!(held[0].is_closing() && !straw.is_closing());
        drop((held, large));
        assert_eq!(budget.used(), 1);
        let more = [250, 250, 250, 249].map(|bytes| small.charge(bytes));
        assert!(!small.is_closing());
        drop(more);
        let _again = [250, 250, 250, 249].map(|bytes| small.charge(bytes));
        assert!(!small.is_closing());
    }

    #[test]
    fn reading_pauses_a_quarter_above_the_limit() {
        let budget = Budget::new(1_000);
        let account = budget.open(client(1));
        // Closing: what it holds counts until it is gone.
        let held = [250; 5].map(|bytes| account.charge(bytes));
        assert!(account.is_closing() && !account.must_pause());
        let one_more = account.charge(1);
        assert!(account.must_pause());
        drop(one_more);
        assert!(!account.must_pause());
        drop(held);
    }

    #[tokio::test]
    async fn a_connection_learns_that_it_is_to_be_closed() {
        use futures_util::FutureExt as _;
        let budget = Budget::new(1_000);
        let account = budget.open(client(1));
        assert!(account.is_direct() && !budget.open(None).is_direct());
        assert!(account.closed().now_or_never().is_none());
        let _held = [250; 5].map(|bytes| account.charge(bytes));
        account.closed().await;
    }

    #[test]
    fn a_charge_is_set_up_and_down() {
        let budget = Budget::new(1_000);
        let account = budget.open(client(1));
        let mut charge = account.charge(10);
        for bytes in [200, 200, 30, 0, 7] {
            charge.set(bytes);
            assert_eq!((charge.bytes(), budget.used()), (bytes, bytes));
        }
        let bytes = charge.attach(Bytes::from_static(b"seven77"));
        let part = bytes.slice(1..2);
        drop(bytes);
        assert_eq!(budget.used(), 7);
        drop(part);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn connections_that_hold_nothing_stay_open() {
        let budget = Budget::new(1_000);
        let [idle, busy, other] = [client(1), client(1), client(2)].map(|at| budget.open(at));
        let _held = (busy.charge(250), busy.charge(250), busy.charge(250));
        let _last_straw = (other.charge(250), other.charge(250));
        assert!(busy.is_closing() && !idle.is_closing());

        // Even if the busy ones do not suffice to free a quarter.
        let budget = Budget::new(1_000);
        let [idle, busy] = [client(1), client(1)].map(|at| budget.open(at));
        let others: Vec<_> = (2..11).map(|at| budget.open(client(at))).collect();
        let _others: Vec<_> = others.iter().map(|other| other.charge(98)).collect();
        let _most = busy.charge(150);
        assert!(busy.is_closing() && !idle.is_closing());
        assert!(others.iter().all(|other| !other.is_closing()));
    }

    #[test]
    fn a_body_larger_than_the_limit_can_be_sent() {
        let budget = Budget::new(1_000);
        let account = budget.open(client(1));
        let _charge = account.charge(1 << 30);
        assert_eq!(account.used(), 250);
        assert!(!account.is_closing());
    }

    #[test]
    fn a_connection_is_full_at_a_quarter() {
        let budget = Budget::new(1_000);
        let account = budget.open(client(1));
        let _upload = account.charge(250);
        let first = account.charge(250).into_response();
        assert!(!account.is_full(), "uploads do not count");
        let second = first.sibling(1);
        assert!(account.is_full());
        drop(second);
        assert!(!account.is_full());
    }
}
