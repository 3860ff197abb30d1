//! The way from the hub to one connection: a bounded buffer that never blocks.
//!
//! Events for which it has no place are read from the log later. So a burst of events closes no
//! connection whose client reads, and one whose client does not costs bounded memory.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_core::event::RecordedEvent;
use doyen_core::sync::lock;
use tokio::sync::Notify;

use crate::CloseReason;

/// Maximum time in which a client takes nothing while its buffer is full. It is then disconnected.
pub(crate) const MAX_LAGGING_WRITE: Duration = Duration::from_secs(1);

/// Capacity above which an empty buffer is released: an idle connection holds none.
const RETAINED_SIGNALS: usize = 4;

/// What the hub sends to a connection.
#[derive(Clone, Debug)]
pub(crate) enum Signal {
    /// An event of the log, for the topic of this name.
    Event(Arc<str>, Arc<RecordedEvent>),
    /// A message that is sent as it is, to the subscribers of a topic.
    Text(Arc<str>, Arc<str>),
    /// The users present at a topic now.
    Presence(Arc<str>, Arc<[String]>),
}

/// The end of the hub. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    /// Identifies the connection in this process.
    pub(crate) id: u64,
    shared: Arc<Shared>,
}

/// The end of the connection.
#[derive(Debug)]
pub(crate) struct Inlet {
    shared: Arc<Shared>,
}

/// What both ends share. A channel of the runtime would reserve 2 KiB for each connection.
#[derive(Debug)]
struct Shared {
    capacity: usize,
    state: Mutex<State>,
    /// Notified when there is something to do next.
    arrived: Notify,
    closed: Notify,
}

#[derive(Debug, Default)]
struct State {
    signals: VecDeque<Signal>,
    /// The position of the first event that was left out because the buffer was full. It and later
    /// ones must be read from the log.
    left_out: Option<i64>,
    close_reason: Option<CloseReason>,
}

/// What a connection does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Sends this.
    Signal(Signal),
    /// Reads the events from this position on from the log. Later ones are signalled again.
    CatchUp(i64),
}

/// Creates both ends.
pub(crate) fn channel(id: u64, capacity: usize) -> (Outlet, Inlet) {
    let shared = Arc::new(Shared {
        capacity: capacity.max(1),
        state: Mutex::default(),
        arrived: Notify::new(),
        closed: Notify::new(),
    });
    let outlet = Outlet {
        id,
        shared: Arc::clone(&shared),
    };
    (outlet, Inlet { shared })
}

impl Outlet {
    /// Adds a signal. The caller never waits. Returns false if the buffer is full: the connection
    /// reads an event from the log later, and anything else is lost.
    pub(crate) fn push(&self, signal: Signal) -> bool {
        let mut state = lock(&self.shared.state);
        if state.left_out.is_some() {
            return false;
        }
        let is_pushed = state.signals.len() < self.shared.capacity;
        match signal {
            signal if is_pushed => state.signals.push_back(signal),
            Signal::Event(_, event) => state.left_out = Some(event.position),
            Signal::Text(..) | Signal::Presence(..) => {}
        }
        drop(state);
        self.shared.arrived.notify_one();
        is_pushed
    }

    /// Closes the connection. The first reason counts.
    pub(crate) fn close(&self, reason: CloseReason) {
        lock(&self.shared.state).close_reason.get_or_insert(reason);
        self.shared.closed.notify_waiters();
    }

    /// Returns the reason if the connection was closed.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        lock(&self.shared.state).close_reason
    }
}

impl Inlet {
    /// Waits for what is next.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.shared.take() {
                return next;
            }
            self.shared.arrived.notified().await;
        }
    }

    /// True if the buffer was full and the connection has not caught up yet.
    pub(crate) fn lags(&self) -> bool {
        lock(&self.shared.state).left_out.is_some()
    }

    /// Completes with the reason when the hub closes the connection. It borrows nothing, so that
    /// signals can be awaited meanwhile.
    pub(crate) fn closed(&self) -> impl Future<Output = CloseReason> + Send + use<> {
        closed(Arc::clone(&self.shared))
    }
}

impl Shared {
    /// Removes the first signal, or the mark that the buffer was full once it is empty. Then the
    /// log is read, and what is left out meanwhile is marked again.
    fn take(&self) -> Option<Next> {
        let mut state = lock(&self.state);
        let Some(signal) = state.signals.pop_front() else {
            return state.left_out.take().map(Next::CatchUp);
        };
        if state.signals.is_empty() && state.signals.capacity() > RETAINED_SIGNALS {
            state.signals = VecDeque::new();
        }
        Some(Next::Signal(signal))
    }
}

async fn closed(shared: Arc<Shared>) -> CloseReason {
    loop {
        // Before the look: a close after it is noticed.
        let notified = shared.closed.notified();
        let reason = lock(&shared.state).close_reason;
        match reason {
            Some(reason) => return reason,
            None => notified.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: i64) -> Signal {
        let event = RecordedEvent {
            id: uuid::Uuid::nil(),
            position,
            topic: "t".to_owned(),
            aggregate: None,
            payload: String::new(),
            created_at: doyen_core::Timestamp::MIN,
            trace: None,
            origin: None,
            attempt: 1,
        };
        Signal::Event("t".into(), Arc::new(event))
    }

    #[tokio::test]
    async fn a_full_buffer_blocks_nobody_and_is_caught_up_from_the_log() {
        let (outlet, mut inlet) = channel(1, 2);
        let pushed = (0..1000).filter(|n| outlet.push(event(*n))).count();
        assert_eq!(pushed, 2);
        assert!(inlet.lags());
        for expected in 0..2 {
            match inlet.next().await {
                Next::Signal(Signal::Event(_, event)) => assert_eq!(event.position, expected),
                other => panic!("{other:?}"),
            }
            assert!(!outlet.push(event(1000)), "no event overtakes another");
        }
        assert!(matches!(inlet.next().await, Next::CatchUp(2)));
        assert!(outlet.push(event(1001)));
        assert!(matches!(inlet.next().await, Next::Signal(_)));
    }

    #[tokio::test]
    async fn a_burst_leaves_no_buffer_behind() {
        let (outlet, mut inlet) = channel(1, 256);
        for n in 0..200 {
            assert!(outlet.push(event(n)));
        }
        for _ in 0..200 {
            inlet.next().await;
        }
        assert!(lock(&inlet.shared.state).signals.capacity() <= RETAINED_SIGNALS);
    }

    #[tokio::test]
    async fn the_first_reason_to_close_counts() {
        let (outlet, inlet) = channel(1, 1);
        outlet.close(CloseReason::Gap);
        outlet.close(CloseReason::Idle);
        assert_eq!(inlet.closed().await, CloseReason::Gap);
    }
}
