//! Handlers of events: an extension point of the application.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use uuid::Uuid;

use super::EventData;
use crate::inject::{BoxFuture, Context, Inject, Needs};
use crate::{Refusal, Timestamp, Unexpected};

/// An event as it is stored, for a handler that reads the payload itself.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedEvent {
    /// Id. It is the same at each delivery, on each node and in the broker.
    pub id: Uuid,
    /// Position in the event log. Positions grow in the order of the log.
    pub position: i64,
    /// Topic: `ticket.created`.
    pub topic: String,
    /// The aggregate: `ticket:tkt_…`.
    pub aggregate: Option<String>,
    /// The payload as JSON.
    pub payload: String,
    /// Time at which it was emitted.
    pub created_at: Timestamp,
    /// The `traceparent` of the request that emitted it.
    pub trace: Option<String>,
    /// The broker that it came from; `None` for an event of this application.
    pub origin: Option<String>,
    /// Number of this delivery to this handler, from 1.
    pub attempt: u32,
}

impl RecordedEvent {
    /// Returns the key of the aggregate: `tkt_…`.
    pub fn key(&self) -> Option<&str> {
        let aggregate = self.aggregate.as_deref()?;
        aggregate.split_once(':').map(|(_, key)| key)
    }
}

/// An event with its [metadata](RecordedEvent), for a handler that needs both.
#[derive(Clone, Debug)]
pub struct Delivery<E> {
    /// The event.
    pub event: E,
    /// Id, position, attempt and the other metadata.
    pub record: RecordedEvent,
}

impl<E> Deref for Delivery<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.event
    }
}

/// The first parameter of a handler: a type that derives [`EventData`], or a [`Delivery`] of one,
/// or a [`RecordedEvent`].
pub trait ReceiveEvent: Sized + Send + 'static {
    /// The topics that the type reads. `RecordedEvent` reads all, so its handler names topics.
    const TOPICS: &'static [&'static str];

    /// Reads the event.
    ///
    /// # Errors
    ///
    /// Returns an error if the payload is not the JSON of this type.
    fn receive(record: RecordedEvent) -> Result<Self, serde_json::Error>;
}

impl<E: EventData> ReceiveEvent for E {
    const TOPICS: &'static [&'static str] = E::TOPICS;

    fn receive(record: RecordedEvent) -> Result<Self, serde_json::Error> {
        E::decode(&record.topic, &record.payload)
    }
}

impl<E: EventData> ReceiveEvent for Delivery<E> {
    const TOPICS: &'static [&'static str] = E::TOPICS;

    fn receive(record: RecordedEvent) -> Result<Self, serde_json::Error> {
        let event = E::decode(&record.topic, &record.payload)?;
        Ok(Self { event, record })
    }
}

impl ReceiveEvent for RecordedEvent {
    const TOPICS: &'static [&'static str] = &["*"];

    fn receive(record: RecordedEvent) -> Result<Self, serde_json::Error> {
        Ok(record)
    }
}

/// A function that handles events: `async fn(event, ..) -> Result<(), E>`. The first parameter is
/// the event ([`ReceiveEvent`]), the others are injected, up to six. `E` is `Unexpected` or the
/// problem of a domain.
///
/// It runs in a unit of work of its own, which is committed together with the mark that the event
/// was delivered to this handler. What it writes with its Session is therefore applied once. What
/// it does elsewhere (a mail, an HTTP call) may happen twice: use the id of the event.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of events",
    note = "write `async fn(event: MyEvent, ..) -> Result<(), Unexpected>`, where `MyEvent` derives `EventData` and the other parameters can be injected"
)]
pub trait HandleEvent<Parameters>: Clone + Send + Sync + 'static {
    /// The type of its first parameter.
    type Event: ReceiveEvent;

    /// Returns what it injects.
    fn needs() -> Needs;

    /// Injects the parameters and calls the function.
    fn handle(
        self,
        cx: Context,
        event: Self::Event,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
}

macro_rules! handler {
    ($($name:ident),*) => {
        #[allow(non_snake_case, reason = "a parameter for each type")]
        impl<Function, Fut, Error, Event, $($name),*> HandleEvent<(Event, $($name,)*)> for Function
        where
            Function: Fn(Event, $($name),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<(), Error>> + Send,
            Error: Into<Refusal>,
            Event: ReceiveEvent,
            $($name: Inject,)*
        {
            type Event = Event;

            fn needs() -> Needs {
                #[allow(unused_mut, reason = "a handler may inject nothing")]
                let mut needs = Needs::default();
                $(needs.add::<$name>();)*
                needs
            }

            async fn handle(self, cx: Context, event: Event) -> Result<(), Refusal> {
                let _ = &cx;
                $(let $name = cx.get::<$name>().await?;)*
                self(event, $($name),*).await.map_err(Into::into)
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
handler!(A, B, C, D, F);
handler!(A, B, C, D, F, G);

type RunFn = Arc<
    dyn Fn(Context, RecordedEvent) -> BoxFuture<'static, Result<(), HandlerError>> + Send + Sync,
>;

/// Why a handler failed.
#[derive(Debug)]
pub enum HandlerError {
    /// The payload cannot be read: another attempt would fail the same way.
    Unreadable(serde_json::Error),
    /// The handler returned an error.
    Failed(Refusal),
}

impl HandlerError {
    /// Returns the text for the log and the row.
    pub fn text(&self) -> String {
        match self {
            HandlerError::Unreadable(error) => format!("the payload cannot be read: {error}"),
            HandlerError::Failed(problem) => {
                let mut text = problem.info().code.to_owned();
                if let Some(detail) = problem.detail() {
                    text = format!("{text}: {detail}");
                }
                if let Some(cause) = problem.cause() {
                    text = format!("{text}: {}", crate::chain(cause));
                }
                text
            }
        }
    }
}

/// A named handler of events: the extension point for `Registrar::contribute`, which
/// `Module::on` fills. Two handlers of one name are a mistake that is reported at the start.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::event::{Delivery, EventHandler, RecordedEvent};
/// use doyen_core::{EventData, Unexpected};
///
/// #[derive(EventData)]
/// #[event(topic = "order.placed")]
/// struct OrderPlaced {
///     order: String,
/// }
///
/// async fn reserve(event: OrderPlaced) -> Result<(), Unexpected> {
/// #   let _ = event.order;
///     Ok(())
/// }
///
/// // Each event whose topic begins with `order.`, with its payload as it is.
/// async fn notify(event: RecordedEvent) -> Result<(), Unexpected> {
/// #   let _ = event;
///     Ok(())
/// }
///
/// let typed = EventHandler::new("reserve_stock", reserve);
/// assert_eq!(typed.topics(), ["order.placed"]);
/// let all = EventHandler::new("webhooks", notify).on_topics(["order.*"]);
/// assert!(all.wants("order.placed") && !all.wants("ticket.created"));
/// ```
#[derive(Clone)]
pub struct EventHandler {
    name: &'static str,
    topics: Vec<String>,
    needs: Needs,
    skips_parked: bool,
    run: RunFn,
}

impl fmt::Debug for EventHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventHandler")
            .field("name", &self.name)
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}

impl EventHandler {
    /// Creates a handler. Its name is stored with each pending delivery: never change it while
    /// events wait.
    pub fn new<P, H: HandleEvent<P>>(name: &'static str, handler: H) -> Self {
        let topics = <H::Event as ReceiveEvent>::TOPICS;
        Self {
            name,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            needs: H::needs(),
            skips_parked: false,
            run: Arc::new(move |cx, record| {
                let handler = handler.clone();
                Box::pin(async move {
                    let event = H::Event::receive(record).map_err(HandlerError::Unreadable)?;
                    handler
                        .handle(cx, event)
                        .await
                        .map_err(HandlerError::Failed)
                })
            }),
        }
    }

    /// Replaces the topics: `ticket.created`, `ticket.*` for all topics that begin with `ticket.`,
    /// or `*` for all.
    #[must_use]
    pub fn on_topics<T: Into<String>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics = topics.into_iter().map(Into::into).collect();
        self
    }

    /// Delivers later events of an aggregate although an earlier one is parked. By default they
    /// wait, so that the handler never sees events of an aggregate out of order.
    #[must_use]
    pub const fn skip_parked(mut self) -> Self {
        self.skips_parked = true;
        self
    }

    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the topics, with wildcards.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// Returns what it injects.
    pub const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Returns true if a parked event does not hold back later ones.
    pub const fn skips_parked(&self) -> bool {
        self.skips_parked
    }

    /// Returns true if it handles events of this topic.
    pub fn wants(&self, topic: &str) -> bool {
        self.topics.iter().any(|pattern| matches(pattern, topic))
    }

    /// Runs the handler in this context. The caller commits the context.
    ///
    /// # Errors
    ///
    /// Returns the error of the handler, or of the payload.
    pub async fn run(&self, cx: Context, record: RecordedEvent) -> Result<(), HandlerError> {
        (self.run)(cx, record).await
    }
}

/// Returns true if the pattern (`ticket.created`, `ticket.*` or `*`) matches the topic.
pub fn matches(pattern: &str, topic: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => topic.starts_with(prefix),
        None => pattern == topic,
    }
}

impl From<HandlerError> for Unexpected {
    fn from(error: HandlerError) -> Self {
        Unexpected::new(error.text())
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_matches_the_rest_of_a_topic() {
        assert!(matches("*", "ticket.created"));
        assert!(matches("ticket.*", "ticket.created"));
        assert!(matches("ticket.created", "ticket.created"));
        assert!(!matches("ticket.*", "tickets.created"));
        assert!(!matches("ticket", "ticket.created"));
    }
}
