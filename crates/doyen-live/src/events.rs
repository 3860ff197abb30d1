//! The events of a topic as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use doyen_core::event::RecordedEvent;
use doyen_core::problem::UNAVAILABLE;
use doyen_core::{Place, Refusal, Unexpected, chain};
use doyen_schema::contract::{Answer, Contract, Parameter};
use doyen_schema::{Output, Schema};
use doyen_web::http::{HeaderValue, header};
use doyen_web::response::MediaType;
use doyen_web::{IntoResponse, Parts, Response, RetainedCredentials, Stream};
use futures_util::stream;
use tokio::time::{Instant, sleep_until};

use crate::access::ConnectionAccess;
use crate::admission::{Admitted, TOO_MANY_CONNECTIONS};
use crate::feed::{Render, Subscription};
use crate::hub::{Hub, RESUME_PAGE};
use crate::outlet::{Inlet, MAX_LAGGING_WRITE, Next, Outlet, Signal};
use crate::work::WorkContext;
use crate::{CloseReason, Topic};

/// When a browser connects again after a connection was lost.
const RETRY: Duration = Duration::from_secs(2);

/// Maximum time to read one event for its reader.
const ITEM_TIMEOUT: Duration = Duration::from_secs(10);

/// 200 with the events of a topic (`text/event-stream`), until the client disconnects.
///
/// Each event has the id of its position in the event log, and its topic as its name. A client
/// that sends `Last-Event-ID` gets what it has missed, on any node. If the log no longer has it,
/// the client gets an event `reload` and must read the current state.
///
/// The stream ends when the client reads too slowly, when the caller loses access, and when the
/// process stops. A browser then connects again.
pub struct Events<T> {
    hub: Arc<Hub>,
    topic: Topic,
    render: Render,
    data: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl<T> Events<T> {
    pub(crate) fn new(hub: Arc<Hub>, topic: Topic, render: Render) -> Self {
        Self {
            hub,
            topic,
            render,
            data: PhantomData,
        }
    }
}

struct EventStream;

impl MediaType for EventStream {
    const NAME: &'static str = "text/event-stream";
    const CONTENT_TYPE: &'static str = "text/event-stream";
}

impl<T: Output> IntoResponse for Events<T> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let source = Source::open(self.hub, self.topic, self.render, parts)?;
        let chunks = stream::unfold(Box::new(source), |mut source| async move {
            let chunk = source.next().await?;
            Some((Ok::<_, Infallible>(chunk), source))
        });
        let mut response = Stream::<EventStream>::new(chunks).into_response(parts)?;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // Nginx would collect the events before it forwards them.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = Schema::of("string")
            .with("contentMediaType", "application/json")
            .with("contentSchema", T::schema(contract.components));
        let text = "Server-sent events. `contentSchema` describes the data of an event. After an event `reload`, read the current state: events in between are no longer kept.";
        let answer = Answer::with_body(200, text, "text/event-stream", schema);
        contract.operation.answers.push(answer);
        contract.operation.parameter(Parameter {
            place: Place::Header,
            name: "Last-Event-ID".to_owned(),
            required: false,
            schema: Schema::of("string").with("maxLength", 64),
            description: "Id of the last event that the client has. The stream continues after it."
                .to_owned(),
            deprecated: false,
            commas: false,
        });
        contract
            .operation
            .fails([&TOO_MANY_CONNECTIONS, &UNAVAILABLE]);
    }
}

/// The source of one stream.
struct Source {
    hub: Arc<Hub>,
    outlet: Outlet,
    inlet: Inlet,
    work: WorkContext,
    access: ConnectionAccess,
    subscription: Subscription,
    stage: Stage,
    queue: VecDeque<Arc<RecordedEvent>>,
    comment_due: Instant,
    /// When the last bytes were handed over. Once the client has taken them, more are asked for.
    handed_over: Instant,
    _admitted: Admitted,
}

enum Stage {
    /// Nothing was sent yet.
    Opening,
    /// The client is to subscribe, and to get events after this position first.
    Subscribing(Option<i64>),
    /// Events after this position are read from the log.
    Resuming(i64),
    Live,
    Ended,
}

impl Source {
    fn open(hub: Arc<Hub>, topic: Topic, render: Render, parts: &Parts) -> Result<Self, Refusal> {
        let running = hub.parts()?;
        let caller = parts.context.caller().cloned();
        let user = caller.as_ref().map(|caller| &caller.subject);
        let admitted = hub.admission.admit(&hub.settings, user, parts.client)?;
        hub.stats.opened(false);
        let after = parts.header("last-event-id").map(position);
        let (outlet, inlet) = hub.open();
        let access = ConnectionAccess::new(
            caller.clone(),
            RetainedCredentials::of(parts),
            hub.settings.recheck,
        );
        Ok(Self {
            outlet,
            inlet,
            work: WorkContext {
                container: running.container,
                caller,
                timeout: ITEM_TIMEOUT,
                version: parts.older_version(),
            },
            access,
            subscription: Subscription {
                topic,
                render,
                last: 0,
            },
            stage: match after {
                None => Stage::Opening,
                Some(after) => Stage::Subscribing(Some(after)),
            },
            queue: VecDeque::new(),
            comment_due: Instant::now(),
            handed_over: Instant::now(),
            _admitted: admitted,
            hub,
        })
    }

    /// Returns the next bytes, or `None` after the end.
    async fn next(&mut self) -> Option<Bytes> {
        if matches!(self.stage, Stage::Ended) {
            return None;
        }
        let is_slow = self.inlet.lags() && self.handed_over.elapsed() >= MAX_LAGGING_WRITE;
        let step = if is_slow {
            Err(CloseReason::SlowConsumer)
        } else {
            self.step().await
        };
        let chunk = match step {
            Ok(chunk) => chunk,
            Err(reason) => {
                self.stage = Stage::Ended;
                self.hub.stats.closed(reason);
                end(reason)
            }
        };
        self.handed_over = Instant::now();
        self.comment_due = self.handed_over + self.hub.settings.comment_interval;
        Some(chunk.into())
    }

    async fn step(&mut self) -> Result<String, CloseReason> {
        // What happens seldom is boxed, so that an idle stream does not reserve its memory.
        loop {
            while let Some(event) = self.queue.pop_front() {
                if event.position <= self.subscription.last {
                    continue;
                }
                if let Some(reason) = self.outlet.close_reason() {
                    return Err(reason);
                }
                Box::pin(self.access.check_if_due(&self.hub)).await?;
                let text = self.show(&event).await?;
                self.subscription.last = event.position;
                if let Some(text) = text {
                    return Ok(text);
                }
            }
            match self.stage {
                Stage::Opening => {
                    // The first byte at once: the client knows that the stream is open.
                    self.stage = Stage::Subscribing(None);
                    return Ok(format!("retry: {}\n\n", RETRY.as_millis()));
                }
                Stage::Subscribing(after) => {
                    let subscribed = self.hub.subscribe(&self.subscription.topic, &self.outlet);
                    let position = Box::pin(subscribed).await.map_err(unavailable)?;
                    self.subscription.last = after.unwrap_or(position);
                    self.stage = after.map_or(Stage::Live, Stage::Resuming);
                    if after.is_some() {
                        return Ok(format!("retry: {}\n\n", RETRY.as_millis()));
                    }
                }
                Stage::Resuming(after) => {
                    let topic = &self.subscription.topic;
                    let resumed = Box::pin(resume(&self.hub, topic, after)).await;
                    match resumed.map_err(unavailable)? {
                        Resumed::Page(events, rest) => {
                            self.queue = events;
                            self.stage = rest.map_or(Stage::Live, Stage::Resuming);
                        }
                        Resumed::Gap(last) => {
                            self.subscription.last = last;
                            self.stage = Stage::Live;
                            return Ok(format!(
                                "event: reload\nid: {last}\ndata: {{\"reason\":\"events_missed\"}}\n\n"
                            ));
                        }
                    }
                }
                Stage::Live => {
                    if let Some(text) = self.wait().await? {
                        return Ok(text);
                    }
                }
                Stage::Ended => return Err(CloseReason::Closed),
            }
        }
    }

    /// Waits for an event, or for another reason to send something.
    async fn wait(&mut self) -> Result<Option<String>, CloseReason> {
        let drain = self.hub.parts().map_err(unavailable)?.drain;
        let never = Instant::now() + Duration::from_secs(86_400);
        let check_due = self.access.due().unwrap_or(never);
        tokio::select! {
            biased;
            reason = self.inlet.closed() => Err(reason),
            () = drain.begun() => Err(CloseReason::Draining(self.hub.reconnect_after())),
            () = sleep_until(check_due) => {
                Box::pin(self.access.check(&self.hub)).await?;
                Ok(None)
            }
            next = self.inlet.next() => {
                match next {
                    Next::Signal(Signal::Event(_, event)) => self.queue.push_back(event),
                    Next::Signal(_) => {}
                    Next::CatchUp(position) => {
                        let last = self.subscription.last.max(position - 1);
                        self.stage = Stage::Resuming(last);
                    }
                }
                Ok(None)
            }
            () = sleep_until(self.comment_due) => Ok(Some(": keep-alive\n\n".to_owned())),
        }
    }

    async fn show(&self, event: &Arc<RecordedEvent>) -> Result<Option<String>, CloseReason> {
        let topic = self.subscription.topic.shared_name();
        let shown = (self.subscription.render)(self.work.clone(), topic, Arc::clone(event));
        shown.await.map_err(|refusal| unshown(&refusal, event))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let topic = self.subscription.topic.name();
        self.hub.unsubscribe(topic, &self.outlet);
        self.hub.stats.ended(false);
        // A client that reads nothing is cut by the server, and never gets the reason.
        if let Some(reason) = self.outlet.close_reason()
            && !matches!(self.stage, Stage::Ended)
        {
            self.hub.stats.closed(reason);
        }
    }
}

/// Reads an event id. A text that is none continues nothing: the client must reload.
pub(crate) fn position(id: &str) -> i64 {
    id.parse().ok().filter(|id| *id >= 0).unwrap_or(-1)
}

/// The next events of a subscription that resumes.
pub(crate) enum Resumed {
    /// Events, and the position after which there are more.
    Page(VecDeque<Arc<RecordedEvent>>, Option<i64>),
    /// Events after the position are no longer kept, or it is not one of this log. The log ends at
    /// this position.
    Gap(i64),
}

/// Reads events after a position.
pub(crate) async fn resume(hub: &Hub, topic: &Topic, after: i64) -> Result<Resumed, Unexpected> {
    let log = hub.parts()?.log;
    if after < 0 {
        return Ok(Resumed::Gap(log.last_position().await?));
    }
    let page = hub.history(topic, after).await?;
    if page.has_gap {
        return Ok(Resumed::Gap(log.last_position().await?));
    }
    let Some(newest) = page.events.last().map(|event| event.position) else {
        let last = log.last_position().await?;
        let is_known = after <= last;
        return Ok(if is_known {
            Resumed::Page(VecDeque::new(), None)
        } else {
            Resumed::Gap(last)
        });
    };
    let is_full = u32::try_from(page.events.len()).is_ok_and(|count| count >= RESUME_PAGE);
    let events = page.events.into_iter().map(Arc::new).collect();
    Ok(Resumed::Page(events, is_full.then_some(newest)))
}

/// Returns the last bytes of a stream.
fn end(reason: CloseReason) -> String {
    match reason {
        CloseReason::Draining(after) => format!("retry: {}\n\n", after.as_millis()),
        reason => format!(": closed: {}\n\n", reason.name()),
    }
}

pub(crate) fn unavailable(error: Unexpected) -> CloseReason {
    tracing::warn!(target: "live", error = chain(error.error()), "a live connection ends");
    CloseReason::Unavailable
}

/// The reader cannot be shown an event: the connection ends, so that the client resumes before it.
pub(crate) fn unshown(refusal: &Refusal, event: &RecordedEvent) -> CloseReason {
    let cause = refusal.cause().map(chain).unwrap_or_default();
    let code = refusal.info().code;
    tracing::warn!(target: "live", code, cause, event = %event.id, "an event was not shown");
    CloseReason::Unavailable
}
