//! Notes over NATS (subjects, without JetStream).

use async_nats::connection::State;
use async_nats::{RequestErrorKind, Subscriber};
use bytes::Bytes;
use doyen_app::Nats;
use doyen_core::inject::BoxFuture;
use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::{Fanout, Note, Notes};

/// Passes notes between the processes of one application that share a NATS.
#[derive(Clone, Debug)]
pub struct NatsFanout {
    nats: Nats,
    subject: String,
}

impl NatsFanout {
    /// Creates the fan-out of an application.
    pub fn new(nats: Nats, application: &str) -> Self {
        // Dots, spaces and wildcards have a meaning in a subject.
        let name = application.replace(|c: char| !c.is_alphanumeric(), "_");
        Self {
            nats,
            subject: format!("{name}.live"),
        }
    }
}

struct NatsNotes {
    subscriber: Subscriber,
    losses: watch::Receiver<u64>,
}

#[async_trait::async_trait]
impl Notes for NatsNotes {
    async fn next(&mut self) -> Result<Note, String> {
        let lost = "the connection to NATS was lost, or too many notes came at once";
        let message = tokio::select! {
            message = self.subscriber.next() => message.ok_or(lost)?,
            _ = self.losses.changed() => return Err(lost.to_owned()),
        };
        serde_json::from_slice(&message.payload).map_err(|error| error.to_string())
    }
}

impl Fanout for NatsFanout {
    fn publish<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let text = serde_json::to_vec(note).map_err(|error| error.to_string())?;
            let client = self.nats.client().await?;
            // Without a connection the client keeps it for later, when it is old.
            if client.connection_state() != State::Connected {
                return Err("NATS is not connected".to_owned());
            }
            let published = client.publish(self.subject.clone(), text.into()).await;
            published.map_err(|error| error.to_string())
        })
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Box<dyn Notes>, String>> {
        Box::pin(async move {
            let client = self.nats.client().await?;
            let losses = self.nats.losses();
            let subscriber = client.subscribe(self.subject.clone()).await;
            let subscriber = subscriber.map_err(|error| error.to_string())?;
            // The server handles a connection in order: with the response it has the subscription.
            let ready = client.request(format!("{}.ready", self.subject), Bytes::new());
            if let Err(error) = ready.await
                && error.kind() != RequestErrorKind::NoResponders
            {
                return Err(error.to_string());
            }
            let notes: Box<dyn Notes> = Box::new(NatsNotes { subscriber, losses });
            Ok(notes)
        })
    }
}
