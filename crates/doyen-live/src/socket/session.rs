//! The loop of one socket.
//!
//! One task reads, handles one message at a time, and writes. While a message is handled no
//! further one is read, so a client is slowed down by its own messages; events still leave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_core::event::RecordedEvent;
use doyen_core::inject::BoxFuture;
use doyen_core::problem::Plain;
use doyen_core::sync::lock;
use doyen_core::{DeniedBecause, Kind, ProblemInfo, Refusal, chain};
use doyen_web::{Drain, Parts, Response, Upgrade, Upgraded};
use tokio::time::{Instant, sleep_until, timeout};

use super::connection::{Action, RenderPresence, Shared};
use super::handler::{Messages, SocketProblem};
use super::handshake;
use super::rate::{MessageRate, Verdict};
use super::wire::{Received, Wire, WireError};
use crate::CloseReason;
use crate::access::ConnectionAccess;
use crate::admission::Admitted;
use crate::events::{Resumed, resume, unavailable, unshown};
use crate::feed::{Presence, Subscription};
use crate::hub::Hub;
use crate::outlet::{Inlet, MAX_LAGGING_WRITE, Next, Outlet, Signal};
use crate::work::WorkContext;

/// Maximum time for the close handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

static EVENTS_MISSED: ProblemInfo = ProblemInfo {
    code: "events_missed",
    kind: Kind::Gone,
    title: "Events Missed",
    description: "Events after the given id are no longer kept. Read the current state; new events follow.",
};

static TOO_MANY_TOPICS: ProblemInfo = ProblemInfo {
    code: "too_many_topics",
    kind: Kind::TooManyRequests,
    title: "Too Many Topics",
    description: "The socket has its maximum number of topics. Unsubscribe from one first.",
};

static TOO_MANY_MESSAGES: ProblemInfo = ProblemInfo {
    code: "too_many_messages",
    kind: Kind::TooManyRequests,
    title: "Too Many Messages",
    description: "The socket sends too many messages. This one was not handled; send fewer.",
};

/// Why a socket ends.
enum End {
    /// The server closes it.
    Close(CloseReason),
    /// The peer closes it, with this code.
    Reply(Option<u16>),
    /// The peer is gone.
    Gone,
}

impl From<WireError> for End {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Violation(code) => Self::Close(CloseReason::Protocol(code)),
            WireError::Gone => Self::Gone,
        }
    }
}

impl From<CloseReason> for End {
    fn from(reason: CloseReason) -> Self {
        Self::Close(reason)
    }
}

/// Checks the handshake of a request, and returns the 101 whose connection becomes a socket.
pub(super) async fn open(
    hub: Arc<Hub>,
    parts: &Parts,
    messages: Arc<dyn Messages>,
) -> Result<Response, Refusal> {
    // During a drain the socket opens and closes at once: its client learns when to reconnect.
    let running = hub.parts()?;
    let (mut response, credentials) = handshake::check(&hub, parts).await?;
    let caller = parts.context.caller().cloned();
    let user = caller.as_ref().map(|caller| &caller.subject);
    let admitted = hub.admission.admit(&hub.settings, user, parts.client)?;
    let recheck = hub.settings.recheck;
    let access = ConnectionAccess::new(caller.clone(), credentials, recheck);
    let work = WorkContext {
        container: running.container,
        caller,
        timeout: parts.timeout(),
        version: parts.older_version(),
    };
    let upgrade = Upgrade::new(move |upgraded| {
        Box::pin(async move {
            let socket = Socket::new(hub, upgraded, access, work, messages, running.drain);
            socket.run(admitted).await;
        })
    });
    response.extensions_mut().insert(upgrade);
    Ok(response)
}

/// Completes at a time, or never.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

struct Socket {
    hub: Arc<Hub>,
    wire: Wire,
    outlet: Outlet,
    inlet: Inlet,
    access: ConnectionAccess,
    work: WorkContext,
    messages: Arc<dyn Messages>,
    drain: Arc<Drain>,
    topics: HashMap<Arc<str>, Topic>,
    rate: MessageRate,
    /// When the peer was last heard of.
    heard: Instant,
    /// When the client last sent a message.
    active: Instant,
    ping_due: Instant,
}

/// A topic of this socket.
struct Topic {
    subscription: Subscription,
    presence: Option<RenderPresence>,
}

/// A message that is being handled.
type Pending = BoxFuture<'static, Result<Vec<Action>, Rejected>>;

/// A message that was rejected.
struct Rejected {
    refusal: Refusal,
    topic: Option<Arc<str>>,
}

impl Socket {
    fn new(
        hub: Arc<Hub>,
        upgraded: Upgraded,
        access: ConnectionAccess,
        work: WorkContext,
        messages: Arc<dyn Messages>,
        drain: Arc<Drain>,
    ) -> Self {
        let max_bytes = usize::try_from(hub.settings.max_message).unwrap_or(usize::MAX);
        let (outlet, inlet) = hub.open();
        hub.stats.opened(true);
        let now = Instant::now();
        Self {
            wire: Wire::new(upgraded.stream, &upgraded.read, max_bytes),
            outlet,
            inlet,
            access,
            work,
            messages,
            drain,
            topics: HashMap::new(),
            rate: MessageRate::new(hub.settings.messages_per_second),
            heard: now,
            active: now,
            ping_due: now + hub.settings.heartbeat,
            hub,
        }
    }

    async fn run(mut self, _admitted: Admitted) {
        match self.serve().await {
            Err(End::Close(reason)) => {
                self.hub.stats.closed(reason);
                self.leave_all();
                self.close(Some(reason.code()), &reason.text()).await;
            }
            Err(End::Gone) => {}
            Err(End::Reply(code)) => {
                self.leave_all();
                self.close(code, "").await;
            }
            Ok(never) => match never {},
        }
    }

    /// Serves until the end.
    async fn serve(&mut self) -> Result<std::convert::Infallible, End> {
        let mut pending: Option<Pending> = None;
        loop {
            let is_busy = pending.is_some();
            let (check_due, timer_due) = (self.access.due(), self.timer_due(is_busy));
            let drain = Arc::clone(&self.drain);
            // What happens seldom is boxed, so that an idle socket does not reserve its memory.
            tokio::select! {
                // Rights before events. Messages before timers: a pong that has arrived counts.
                // Messages cannot starve the others, because their rate is limited.
                biased;
                reason = self.inlet.closed() => return Err(reason.into()),
                () = drain.begun() => {
                    return Err(CloseReason::Draining(self.hub.reconnect_after()).into());
                }
                () = at(check_due) => Box::pin(self.access.check(&self.hub)).await?,
                done = async {
                    match &mut pending {
                        Some(pending) => pending.await,
                        None => std::future::pending().await,
                    }
                } => {
                    pending = None;
                    Box::pin(self.handled(done)).await?;
                    // Nothing was read while the message was handled.
                    self.heard = Instant::now();
                }
                received = self.wire.next(), if !is_busy => {
                    pending = Box::pin(self.on_received(received?)).await?;
                }
                () = sleep_until(timer_due) => Box::pin(self.on_time(is_busy)).await?,
                next = self.inlet.next() => match next {
                    Next::Signal(signal) => Box::pin(self.on_signal(signal)).await?,
                    Next::CatchUp(position) => Box::pin(self.catch_up(position)).await?,
                },
            }
        }
    }

    /// When the peer is unresponsive. Nothing is read while a message is handled.
    fn silent_at(&self, is_busy: bool) -> Option<Instant> {
        (!is_busy).then(|| self.heard + self.hub.settings.heartbeat * 2)
    }

    /// When the socket is idle.
    fn idle_at(&self) -> Option<Instant> {
        let idle = self.active + self.hub.settings.idle_timeout;
        self.topics.is_empty().then_some(idle)
    }

    /// When something is due without a cause from outside.
    fn timer_due(&self, is_busy: bool) -> Instant {
        let all = [self.silent_at(is_busy), self.idle_at()];
        all.into_iter().flatten().fold(self.ping_due, Instant::min)
    }

    async fn on_time(&mut self, is_busy: bool) -> Result<(), End> {
        let now = Instant::now();
        if self.idle_at().is_some_and(|at| at <= now) {
            return Err(CloseReason::Idle.into());
        }
        if self.silent_at(is_busy).is_some_and(|at| at <= now) {
            return Err(CloseReason::Unresponsive.into());
        }
        if now >= self.ping_due {
            self.ping_due = now + self.hub.settings.heartbeat;
            self.wire.ping();
            self.flush().await?;
        }
        Ok(())
    }

    /// Handles a message or a control frame. Returns the work that it starts.
    async fn on_received(&mut self, received: Received) -> Result<Option<Pending>, End> {
        self.heard = Instant::now();
        let text = match received {
            Received::Close(code) => return Err(End::Reply(code)),
            Received::Ping(_) | Received::Pong if self.rate.count() == Verdict::Close => {
                return Err(CloseReason::TooManyMessages.into());
            }
            Received::Pong => return Ok(None),
            Received::Ping(payload) => {
                self.wire.pong(&payload);
                self.flush().await?;
                return Ok(None);
            }
            Received::Binary => return Err(CloseReason::Protocol(1003).into()),
            Received::Text(text) => text,
        };
        self.active = Instant::now();
        match self.rate.count() {
            Verdict::Handle => {}
            Verdict::Reject => {
                let refusal = Plain::new(&TOO_MANY_MESSAGES).into();
                self.send_problem(&refusal, None).await?;
                return Ok(None);
            }
            Verdict::Close => return Err(CloseReason::TooManyMessages.into()),
        }
        let shared = Arc::new(Shared {
            caller: self.access.caller().cloned(),
            actions: Mutex::default(),
            topic: Mutex::default(),
        });
        let work = self.work.clone();
        let handling = self.messages.handle(work, Arc::clone(&shared), text);
        Ok(Some(Box::pin(async move {
            let done = handling.await;
            let actions = std::mem::take(&mut *lock(&shared.actions));
            let topic = lock(&shared.topic).clone();
            done.map(|()| actions)
                .map_err(|refusal| Rejected { refusal, topic })
        })))
    }

    /// Sends the outcome of a message.
    async fn handled(&mut self, done: Result<Vec<Action>, Rejected>) -> Result<(), End> {
        self.hub.stats.received(done.is_ok());
        match done {
            Err(Rejected { refusal, topic }) => {
                self.log(&refusal);
                self.send_problem(&refusal, topic.as_ref()).await
            }
            Ok(actions) => {
                for action in actions {
                    self.act(action).await?;
                }
                Ok(())
            }
        }
    }

    async fn act(&mut self, action: Action) -> Result<(), End> {
        match action {
            Action::Send(text) => self.send_text(text).await,
            Action::Subscribe {
                subscription,
                after,
                confirmation,
            } => self.subscribe(subscription, after, confirmation).await,
            Action::Unsubscribe(topic) => {
                self.leave(&topic);
                Ok(())
            }
            Action::Broadcast { topic, text } => {
                self.hub.broadcast(&topic, &text, self.outlet.id);
                Ok(())
            }
            Action::Enter {
                topic,
                user,
                render,
            } => {
                if let Some(entry) = self.topics.get_mut(&topic) {
                    entry.presence = Some(render);
                    self.hub.presence.enter(topic, user, self.outlet.clone());
                }
                Ok(())
            }
            Action::Close => Err(CloseReason::Closed.into()),
        }
    }

    async fn subscribe(
        &mut self,
        subscription: Subscription,
        after: Option<i64>,
        confirmation: String,
    ) -> Result<(), End> {
        let name = subscription.topic.shared_name();
        let is_new = !self.topics.contains_key(&name);
        let limit = usize::try_from(self.hub.settings.max_topics).unwrap_or(usize::MAX);
        if is_new && self.topics.len() >= limit {
            let refusal = Plain::new(&TOO_MANY_TOPICS).into();
            return self.send_problem(&refusal, Some(&name)).await;
        }
        if !is_new {
            self.leave(&name);
        }
        // Before the confirmation: what commits after it must arrive.
        let subscribed = self.hub.subscribe(&subscription.topic, &self.outlet).await;
        let topic = Topic {
            subscription,
            presence: None,
        };
        self.topics.insert(Arc::clone(&name), topic);
        let position = subscribed.map_err(unavailable)?;
        self.skip_to(&name, after.unwrap_or(position));
        self.send_text(confirmation).await?;
        match after {
            Some(after) => self.resume(&name, after).await,
            None => Ok(()),
        }
    }

    /// Sends the events of a topic after this position from the log.
    async fn resume(&mut self, name: &Arc<str>, after: i64) -> Result<(), End> {
        let mut rest = Some(after);
        while let Some(after) = rest {
            let Some(topic) = self.topics.get(name) else {
                return Ok(());
            };
            let topic = topic.subscription.topic.clone();
            match resume(&self.hub, &topic, after)
                .await
                .map_err(unavailable)?
            {
                Resumed::Gap(last) => {
                    self.skip_to(name, last);
                    let refusal = Plain::new(&EVENTS_MISSED).into();
                    return self.send_problem(&refusal, Some(name)).await;
                }
                Resumed::Page(events, more) => {
                    for event in events {
                        self.show(name, &event).await?;
                    }
                    rest = more;
                }
            }
        }
        Ok(())
    }

    /// Sends what was left out while the buffer was full, from this position on.
    async fn catch_up(&mut self, position: i64) -> Result<(), End> {
        let topics = self.topics.iter();
        let lasts: Vec<(Arc<str>, i64)> = topics
            .map(|(name, topic)| {
                let last = topic.subscription.last.max(position - 1);
                (Arc::clone(name), last)
            })
            .collect();
        for (name, last) in lasts {
            self.resume(&name, last).await?;
        }
        Ok(())
    }

    fn skip_to(&mut self, topic: &str, position: i64) {
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.subscription.last = position;
        }
    }

    async fn on_signal(&mut self, signal: Signal) -> Result<(), End> {
        match signal {
            Signal::Event(topic, event) => self.show(&topic, &event).await,
            Signal::Text(topic, text) if self.topics.contains_key(&topic) => {
                self.send_text(text.to_string()).await
            }
            Signal::Presence(topic, users) => {
                let render = self.topics.get(&topic).and_then(|topic| topic.presence);
                let presence = Presence {
                    topic: topic.to_string(),
                    users: users.to_vec(),
                };
                match render.map(|render| render(presence)) {
                    Some(text) => self.send_text(text.map_err(unavailable)?).await,
                    None => Ok(()),
                }
            }
            Signal::Text(..) => Ok(()),
        }
    }

    /// Sends an event of the log, unless it was sent before.
    async fn show(&mut self, name: &Arc<str>, event: &Arc<RecordedEvent>) -> Result<(), End> {
        let Some(topic) = self.topics.get_mut(name) else {
            return Ok(());
        };
        if event.position <= topic.subscription.last {
            return Ok(());
        }
        topic.subscription.last = event.position;
        let render = topic.subscription.render;
        if self.drain.has_begun() {
            return Err(CloseReason::Draining(self.hub.reconnect_after()).into());
        }
        self.access.check_if_due(&self.hub).await?;
        let shown = render(self.work.clone(), Arc::clone(name), Arc::clone(event)).await;
        match shown.map_err(|refusal| unshown(&refusal, event))? {
            Some(text) => self.send_text(text).await,
            None => Ok(()),
        }
    }

    async fn send_problem(
        &mut self,
        refusal: &Refusal,
        topic: Option<&Arc<str>>,
    ) -> Result<(), End> {
        let mut problem = SocketProblem::of(refusal);
        if let Some(topic) = topic {
            problem.topic = Some(topic.to_string());
        }
        match self.messages.problem(problem) {
            Some(text) => self.send_text(text).await,
            None => Ok(()),
        }
    }

    async fn send_text(&mut self, text: String) -> Result<(), End> {
        self.wire.text(&text);
        self.flush().await
    }

    /// Writes everything. A client that does not read it in time is a slow consumer. It has less
    /// time while its buffer is full.
    async fn flush(&mut self) -> Result<(), End> {
        let limit = Instant::now() + self.hub.settings.write_timeout;
        let mut check_lag = Instant::now() + MAX_LAGGING_WRITE;
        let drain = Arc::clone(&self.drain);
        loop {
            let check_due = self.access.due();
            tokio::select! {
                biased;
                flushed = self.wire.flush() => return Ok(flushed?),
                reason = self.inlet.closed() => return Err(reason.into()),
                () = drain.begun() => {
                    return Err(CloseReason::Draining(self.hub.reconnect_after()).into());
                }
                () = sleep_until(limit) => return Err(CloseReason::SlowConsumer.into()),
                () = sleep_until(check_lag) => {
                    if self.inlet.lags() {
                        return Err(CloseReason::SlowConsumer.into());
                    }
                    check_lag += MAX_LAGGING_WRITE;
                }
                () = at(check_due) => Box::pin(self.access.check(&self.hub)).await?,
            }
        }
    }

    /// Sends the close frame, and waits a short time for the peer to close.
    async fn close(&mut self, code: Option<u16>, reason: &str) {
        self.wire.close(code, reason);
        let closing = async {
            if self.wire.flush().await.is_ok() {
                self.wire.finish().await;
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }

    fn leave(&mut self, name: &str) {
        if self.topics.remove(name).is_some() {
            self.hub.unsubscribe(name, &self.outlet);
            self.hub.presence.leave(name, self.outlet.id);
        }
    }

    fn leave_all(&mut self) {
        let names: Vec<Arc<str>> = self.topics.keys().cloned().collect();
        for name in names {
            self.leave(&name);
        }
    }

    /// Logs why a message was rejected, if an operator should know.
    fn log(&self, refusal: &Refusal) {
        let code = refusal.info().code;
        let user = self.access.caller().map(|caller| &*caller.subject);
        let cause = refusal.cause();
        if let Some(denied) = cause.and_then(|cause| cause.downcast_ref::<DeniedBecause>()) {
            let reason = denied.reason();
            tracing::info!(target: "live", code, user, denied_because = reason, "a message was denied");
        } else if matches!(refusal.info().kind, Kind::Internal | Kind::Unavailable) {
            let cause = cause.map(chain);
            tracing::error!(target: "live", code, user, cause, "a message failed");
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.leave_all();
        self.hub.stats.ended(true);
    }
}
