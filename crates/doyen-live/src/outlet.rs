//! The way from the hub to one connection: a bounded buffer that never blocks.
//!
//! Events for which it has no place are read from the log later. So a burst of events closes no
//! connection whose client reads, and one whose client does not costs bounded memory.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use doyen_core::event::RecordedEvent;
use tokio::sync::{Notify, mpsc, watch};

use crate::CloseReason;

/// Maximum time in which a client takes nothing while its buffer is full. It is then disconnected.
pub(crate) const MAX_LAGGING_WRITE: Duration = Duration::from_secs(1);

/// What the hub sends to a connection.
#[derive(Clone, Debug)]
pub(crate) enum Signal {
    /// An event of the log, for the topic of this name.
    Event(Arc<str>, Arc<RecordedEvent>),
    /// A message that is sent as it is, to the subscribers of a topic.
    Text(Arc<str>, Arc<str>),
    /// Who is present at a topic now.
    Presence(Arc<str>, Arc<[String]>),
}

/// The end of the hub. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    /// Identifies the connection in this process.
    pub(crate) id: u64,
    sender: mpsc::Sender<Signal>,
    closing: watch::Sender<Option<CloseReason>>,
    lag: Arc<Lag>,
}

/// The end of the connection.
#[derive(Debug)]
pub(crate) struct Inlet {
    receiver: mpsc::Receiver<Signal>,
    closing: watch::Receiver<Option<CloseReason>>,
    lag: Arc<Lag>,
}

/// Whether the buffer was full: events were left out since, and must be read from the log.
#[derive(Debug, Default)]
struct Lag {
    lags: AtomicBool,
    /// The position of the first event that was left out.
    position: AtomicI64,
    began: Notify,
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
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    let (closing, closed) = watch::channel(None);
    let lag = Arc::<Lag>::default();
    let outlet = Outlet {
        id,
        sender,
        closing,
        lag: Arc::clone(&lag),
    };
    let inlet = Inlet {
        receiver,
        closing: closed,
        lag,
    };
    (outlet, inlet)
}

impl Outlet {
    /// Adds a signal. The caller never waits. Returns false if the buffer is full: the connection
    /// reads an event from the log later, and anything else is lost.
    pub(crate) fn push(&self, signal: Signal) -> bool {
        if self.lag.lags.load(Ordering::Acquire) {
            return false;
        }
        match self.sender.try_send(signal) {
            Ok(()) => true,
            Err(error) => {
                if let mpsc::error::TrySendError::Full(Signal::Event(_, event)) = error {
                    self.lag.position.store(event.position, Ordering::Release);
                    self.lag.lags.store(true, Ordering::Release);
                    self.lag.began.notify_one();
                }
                false
            }
        }
    }

    /// Closes the connection. The first reason counts.
    pub(crate) fn close(&self, reason: CloseReason) {
        self.closing.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(reason);
            is_first
        });
    }

    /// Returns the reason if the connection was closed.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        *self.closing.borrow()
    }
}

impl Inlet {
    /// Waits for what is next. Never completes once the hub has dropped its end.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            if let Ok(signal) = self.receiver.try_recv() {
                return Next::Signal(signal);
            }
            // First the mark, then the log: what is left out after the mark is marked again.
            let position = self.lag.position.load(Ordering::Acquire);
            if self.lag.lags.swap(false, Ordering::AcqRel) {
                return Next::CatchUp(position);
            }
            tokio::select! {
                signal = self.receiver.recv() => match signal {
                    Some(signal) => return Next::Signal(signal),
                    None => std::future::pending().await,
                },
                () = self.lag.began.notified() => {}
            }
        }
    }

    /// True if the buffer was full and the connection has not caught up yet.
    pub(crate) fn lags(&self) -> bool {
        self.lag.lags.load(Ordering::Acquire)
    }

    /// Completes with the reason when the hub closes the connection. It borrows nothing, so that
    /// signals can be awaited meanwhile.
    pub(crate) fn closed(&self) -> impl Future<Output = CloseReason> + Send + use<> {
        closed(self.closing.clone())
    }
}

async fn closed(mut closing: watch::Receiver<Option<CloseReason>>) -> CloseReason {
    let reason = closing
        .wait_for(Option::is_some)
        .await
        .map(|reason| *reason);
    match reason {
        Ok(Some(reason)) => reason,
        _ => std::future::pending().await,
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
    async fn the_first_reason_to_close_counts() {
        let (outlet, inlet) = channel(1, 1);
        outlet.close(CloseReason::Gap);
        outlet.close(CloseReason::Idle);
        assert_eq!(inlet.closed().await, CloseReason::Gap);
    }
}
