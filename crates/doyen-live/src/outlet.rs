//! The way from the hub to one connection: a bounded buffer that never blocks.

use std::future::Future;
use std::sync::Arc;

use doyen_core::event::RecordedEvent;
use tokio::sync::{mpsc, watch};

use crate::CloseReason;

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
}

/// The end of the connection.
#[derive(Debug)]
pub(crate) struct Inlet {
    receiver: mpsc::Receiver<Signal>,
    closing: watch::Receiver<Option<CloseReason>>,
}

/// Creates both ends.
pub(crate) fn channel(id: u64, capacity: usize) -> (Outlet, Inlet) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    let (closing, closed) = watch::channel(None);
    let outlet = Outlet {
        id,
        sender,
        closing,
    };
    let inlet = Inlet {
        receiver,
        closing: closed,
    };
    (outlet, inlet)
}

impl Outlet {
    /// Adds a signal. A connection whose buffer is full is closed; the caller never waits.
    pub(crate) fn push(&self, signal: Signal) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(signal) {
            self.close(CloseReason::SlowConsumer);
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
    /// Waits for the next signal. Never completes once the hub has dropped its end.
    pub(crate) async fn next(&mut self) -> Signal {
        match self.receiver.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// Completes with the reason when the hub closes the connection. It borrows nothing, so that
    /// signals can be awaited meanwhile.
    pub(crate) fn closed(&self) -> impl Future<Output = CloseReason> + Send + use<> {
        closed(self.closing.clone())
    }
}

async fn closed(mut closing: watch::Receiver<Option<CloseReason>>) -> CloseReason {
    let reason = closing.wait_for(Option::is_some).await.map(|reason| *reason);
    match reason {
        Ok(Some(reason)) => reason,
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_buffer_closes_the_connection_and_blocks_nobody() {
        let (outlet, mut inlet) = channel(1, 2);
        let text = |text: &str| Signal::Text("t".into(), text.into());
        for n in 0..1000 {
            outlet.push(text(&n.to_string()));
        }
        assert_eq!(inlet.closed().await, CloseReason::SlowConsumer);
        assert!(matches!(inlet.next().await, Signal::Text(_, text) if &*text == "0"));
    }
}
