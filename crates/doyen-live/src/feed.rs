//! What a subscriber sees of an event.

use std::future::Future;
use std::sync::Arc;

use doyen_core::event::RecordedEvent;
use doyen_core::inject::{BoxFuture, Inject};
use doyen_core::{Access, Refusal, Unexpected};
use doyen_schema::Output;
use doyen_web::response::Event;

use crate::Topic;
use crate::work::WorkContext;

/// Makes the data of an event for one reader.
///
/// The log holds what happened, often only ids. A feed reads the view that this reader is allowed
/// to see, at the time of the delivery: it is injected for each event, in a context with the caller
/// of the connection. Events that it returns `None` for are not sent.
pub trait Feed: Inject {
    /// The data of its events.
    type Item: Output;

    /// Returns the data of an event, or `None` if this reader may not see it.
    ///
    /// # Errors
    ///
    /// Returns an error if the view cannot be read. The connection ends, and the client resumes
    /// from the last event that it has.
    fn item(
        &self,
        event: &RecordedEvent,
    ) -> impl Future<Output = Result<Option<Self::Item>, Unexpected>> + Send;

    /// Returns an item as an older version of the API has it. It is called for a connection that
    /// has selected one.
    fn older(&self, item: Self::Item, version: &str) -> Self::Item {
        let _ = version;
        item
    }
}

/// An event as a message of a socket shows it.
#[derive(Clone, Debug)]
pub struct Change<T> {
    /// The topic of the subscription.
    pub topic: String,
    /// The id, to resume after.
    pub id: String,
    /// The event topic: `ticket.created`.
    pub event: String,
    /// The data, for this reader.
    pub data: T,
}

/// The users present at a topic.
#[derive(Clone, Debug)]
pub struct Presence {
    /// The topic.
    pub topic: String,
    /// Each present user once, in alphabetical order.
    pub users: Vec<String>,
}

/// Writes an event for one connection: the bytes of a stream, or the text of a socket.
pub(crate) type Render = fn(
    WorkContext,
    Arc<str>,
    Arc<RecordedEvent>,
) -> BoxFuture<'static, Result<Option<String>, Refusal>>;

/// Writes a server-sent event.
pub(crate) fn stream_event<F: Feed>(
    work: WorkContext,
    _: Arc<str>,
    event: Arc<RecordedEvent>,
) -> BoxFuture<'static, Result<Option<String>, Refusal>> {
    Box::pin(async move {
        let Some(item) = item::<F>(&work, &event).await? else {
            return Ok(None);
        };
        let sent = Event::new(item)
            .name(event.topic.as_str())
            .id(event.position.to_string());
        Ok(Some(sent.encode().map_err(Unexpected::new)?))
    })
}

/// Writes the message of a socket.
pub(crate) fn socket_event<F: Feed, Out: Output + From<Change<F::Item>>>(
    work: WorkContext,
    topic: Arc<str>,
    event: Arc<RecordedEvent>,
) -> BoxFuture<'static, Result<Option<String>, Refusal>> {
    Box::pin(async move {
        let Some(data) = item::<F>(&work, &event).await? else {
            return Ok(None);
        };
        let change = Change {
            topic: topic.to_string(),
            id: event.position.to_string(),
            event: event.topic.clone(),
            data,
        };
        Ok(Some(text_of(&Out::from(change))?))
    })
}

async fn item<F: Feed>(
    work: &WorkContext,
    event: &Arc<RecordedEvent>,
) -> Result<Option<F::Item>, Refusal> {
    let (event, version) = (Arc::clone(event), work.version);
    work.run(Access::Read, |cx| async move {
        let feed = cx.get::<F>().await?;
        let item = feed.item(&event).await?;
        Ok(match version {
            Some(version) => item.map(|item| feed.older(item, version)),
            None => item,
        })
    })
    .await
}

/// Writes a message as JSON.
pub(crate) fn text_of<T: Output>(message: &T) -> Result<String, Unexpected> {
    if !message.is_writable() {
        return Err(Unexpected::new(
            "a message contains a number that JSON has not",
        ));
    }
    Ok(serde_json::to_string(message)?)
}

/// A subscription of a connection.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub(crate) topic: Topic,
    pub(crate) render: Render,
    /// The position of the last event that was sent or skipped.
    pub(crate) last: i64,
}
