//! Server-sent events from a stream of the handler.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use doyen_core::Refusal;
use doyen_schema::contract::{Answer, Contract};
use doyen_schema::{Output, Schema};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, header};
use http_body::Frame;
use http_body_util::StreamBody;

use super::IntoResponse;
use super::json::UNWRITABLE;
use crate::body::BoxError;
use crate::request::Parts;
use crate::{Body, Response};

/// A comment is sent after this time without an event, so that no proxy closes the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An event with data of type `T`.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<T> {
    data: T,
    name: Option<String>,
    id: Option<String>,
    retry: Option<Duration>,
}

impl<T> Event<T> {
    /// Creates an event with this data, sent as JSON.
    pub const fn new(data: T) -> Self {
        Self {
            data,
            name: None,
            id: None,
            retry: None,
        }
    }

    /// Sets the name, which `addEventListener` compares. Without one it is `message`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the id, which the browser sends as `Last-Event-ID` when it connects again.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the time after which the browser connects again.
    #[must_use]
    pub const fn retry(mut self, after: Duration) -> Self {
        self.retry = Some(after);
        self
    }
}

impl<T: Output> Event<T> {
    /// Writes the event as it is sent.
    ///
    /// # Errors
    ///
    /// Returns an error if the data cannot be written as JSON, or the name or the id has a line
    /// break.
    pub fn encode(&self) -> Result<String, BoxError> {
        use std::fmt::Write as _;
        if !self.data.is_writable() {
            return Err(UNWRITABLE.into());
        }
        let mut text = String::new();
        for (field, value) in [("event", &self.name), ("id", &self.id)] {
            if let Some(value) = value {
                if value.contains(['\n', '\r', '\0']) {
                    return Err(format!("the {field} of an event has a line break or NUL").into());
                }
                writeln!(text, "{field}: {value}")?;
            }
        }
        if let Some(retry) = self.retry {
            writeln!(text, "retry: {}", retry.as_millis())?;
        }
        // JSON is one line.
        writeln!(text, "data: {}\n", serde_json::to_string(&self.data)?)?;
        Ok(text)
    }
}

/// 200 with server-sent events (`text/event-stream`) that the handler produces itself.
///
/// After 15 seconds without an event a comment is sent. Like a [`Stream`](super::Stream) it is sent
/// after the commit, and an error aborts the connection; the browser then connects again.
///
/// ```
/// use doyen_web::{Sse, response::Event};
///
/// async fn ticks() -> Sse<u32> {
///     let events = [1, 2, 3].map(|tick| Event::new(tick).id(tick.to_string()));
///     Sse::all(futures_util::stream::iter(events))
/// }
/// # let _ = ticks;
/// ```
pub struct Sse<T> {
    body: Body,
    data: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Sse<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sse").finish_non_exhaustive()
    }
}

impl<T: Output> Sse<T> {
    /// Sends the events of a stream, until an error.
    pub fn new<S, E>(events: S) -> Self
    where
        S: futures_util::Stream<Item = Result<Event<T>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let events = events.map(|event| Ok(Bytes::from(event.map_err(Into::into)?.encode()?)));
        let frames = with_keep_alive(events.boxed()).map(|bytes| bytes.map(Frame::data));
        Self {
            body: Body::stream(StreamBody::new(frames)),
            data: PhantomData,
        }
    }

    /// Sends the events of a stream that does not fail.
    pub fn all<S>(events: S) -> Self
    where
        S: futures_util::Stream<Item = Event<T>> + Send + 'static,
    {
        Self::new(events.map(Ok::<_, BoxError>))
    }
}

type Events = stream::BoxStream<'static, Result<Bytes, BoxError>>;

/// Adds a comment whenever the stream has been silent for the time of the keep-alive.
fn with_keep_alive(events: Events) -> impl futures_util::Stream<Item = Result<Bytes, BoxError>> {
    stream::unfold(events, |mut events| async move {
        match tokio::time::timeout(KEEP_ALIVE, events.next()).await {
            Ok(event) => Some((event?, events)),
            Err(_) => Some((Ok(Bytes::from_static(b": keep-alive\n\n")), events)),
        }
    })
}

impl<T: Output> IntoResponse for Sse<T> {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let mut response = Response::new(self.body);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Nginx would collect the events before it forwards them.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = Schema::of("string")
            .with("contentMediaType", "application/json")
            .with("contentSchema", T::schema(contract.components));
        let text = "Server-sent events. `contentSchema` describes the data of an event.";
        let answer = Answer::with_body(200, text, "text/event-stream", schema);
        contract.operation.answers.push(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_as_its_fields() {
        let event = Event::new("two\nlines")
            .name("note")
            .id("7")
            .retry(Duration::from_secs(3));
        let text = "event: note\nid: 7\nretry: 3000\ndata: \"two\\nlines\"\n\n";
        assert_eq!(event.encode().unwrap(), text);
        assert!(Event::new(1).id("a\ndata: forged").encode().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_sends_comments() {
        let silent = stream::pending().boxed();
        let mut frames = Box::pin(with_keep_alive(silent));
        for _ in 0..3 {
            let comment = frames.next().await.unwrap().unwrap();
            assert_eq!(comment, ": keep-alive\n\n");
        }
    }
}
