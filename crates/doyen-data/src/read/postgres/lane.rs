//! One connection that many reads share at a time.

use std::collections::{HashMap, VecDeque};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use doyen_core::sync;
use futures_util::TryStreamExt as _;
use sea_orm::Value;
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row, Statement};

use super::open::Canceller;
use super::values::{Parameter, type_of};

/// How long an abandoned statement may go on before it is cancelled: most are done by then.
const GRACE: Duration = Duration::from_millis(100);

/// How long a step of the clean-up may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// After so long a wait a read looks whether it waits for itself or for somebody else.
const LOOK: Duration = Duration::from_millis(10);

/// The least time without an answer after which a lane is stalled; twice its usual time comes on top.
const SILENCE: Duration = Duration::from_millis(2);

/// An answer that took longer does not count as more: what is usual must not be learned from what is not.
const USUAL: Duration = Duration::from_millis(20);

/// Texts prepared at a time. A program has fewer; one that puts values into its texts must not fill the server's memory.
const PREPARED: usize = 512;

/// Types of values that one text is prepared for.
const VARIANTS: usize = 8;

pub(super) type Answer = Vec<Row>;

type Asking = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// Why there is no answer.
pub(super) enum Missed {
    /// This lane will not do; nothing is wrong with the statement.
    Elsewhere,
    /// The server said nothing, for longer than it may.
    Silent,
    Failed(Error),
}

pub(super) struct Lane {
    client: Client,
    canceller: Canceller,
    connection: AbortHandle,
    pub(super) born: Instant,
    prepared: Mutex<HashMap<Box<str>, Vec<Prepared>>>,
    waiting: Mutex<Waiting>,
    /// Microseconds of `born` at the last answer.
    answered: AtomicU64,
    /// Microseconds that an answer usually takes.
    usual: AtomicU32,
    retired: AtomicBool,
    cancelled: AtomicBool,
}

/// One text may be prepared for several types of values.
#[derive(Clone)]
struct Prepared {
    types: Arc<[Type]>,
    statement: Arc<OnceCell<Statement>>,
}

/// Statements sent and not answered, the oldest first.
#[derive(Default)]
struct Waiting {
    next: u64,
    queue: VecDeque<(u64, Instant)>,
}

/// What is going on in a lane.
pub(super) struct Traffic {
    pub(super) depth: usize,
    /// The age of the oldest statement.
    pub(super) oldest: Duration,
    /// Answers have stopped coming.
    pub(super) stalled: bool,
}

impl Lane {
    pub(super) fn new(client: Client, canceller: Canceller, connection: AbortHandle) -> Self {
        Self {
            client,
            canceller,
            connection,
            born: Instant::now(),
            prepared: Mutex::default(),
            waiting: Mutex::default(),
            answered: AtomicU64::new(0),
            usual: AtomicU32::new(0),
            retired: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
        }
    }

    /// Sends the statement and waits for its answer; for the `first` row, only that is kept.
    pub(super) async fn read(
        self: &Arc<Self>,
        sql: &str,
        values: &[Value],
        first: bool,
        patience: Duration,
    ) -> Result<Answer, Missed> {
        let slot = self.slot(sql, values).ok_or(Missed::Elsewhere)?;
        let statement = match slot.statement.get() {
            Some(statement) => statement.clone(),
            None => {
                let preparing = pin!(self.prepare(sql, slot));
                self.wait(None, patience, preparing).await??
            }
        };
        let (lane, values) = (
            Arc::clone(self),
            values.iter().cloned().map(Parameter).collect(),
        );
        let mut asking: Asking = Box::pin(async move { lane.ask(statement, values, first).await });
        let (number, answer) = self.send(asking.as_mut()).await;
        let mut place = Place {
            lane: Arc::clone(self),
            number,
            asking: None,
        };
        let answer = match answer {
            Poll::Ready(answer) => answer,
            Poll::Pending => {
                let asking = place.asking.insert(asking);
                self.wait(Some(number), patience, asking.as_mut()).await?
            }
        };
        place.asking = None;
        answer.map_err(Missed::Failed)
    }

    /// Sends what is asked, which its first poll does, and enters it into the queue in the same moment: what comes first there was sent
    /// first, also when two threads send at a time.
    async fn send<T>(
        &self,
        mut asking: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    ) -> (u64, Poll<T>) {
        std::future::poll_fn(|cx| {
            let mut waiting = self.waiting();
            let number = waiting.next;
            waiting.next += 1;
            waiting.queue.push_back((number, Instant::now()));
            Poll::Ready((number, asking.as_mut().poll(cx)))
        })
        .await
    }

    /// Waits as long as the lane makes headway: nothing before this statement holds it up, or before anything when it has no number.
    async fn wait<T>(
        &self,
        number: Option<u64>,
        patience: Duration,
        mut answer: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    ) -> Result<T, Missed> {
        let mut waited = Duration::ZERO;
        loop {
            if let Ok(answer) = tokio::time::timeout(LOOK, answer.as_mut()).await {
                return Ok(answer);
            }
            waited += LOOK;
            if waited > patience {
                return Err(Missed::Silent);
            }
            if self.held_up(number) {
                return Err(Missed::Elsewhere);
            }
        }
    }

    async fn ask(
        &self,
        statement: Statement,
        values: Vec<Parameter>,
        first: bool,
    ) -> Result<Answer, Error> {
        let mut rows = pin!(self.client.query_raw(&statement, values).await?);
        let mut answer = Vec::new();
        while let Some(row) = rows.try_next().await? {
            if !first || answer.is_empty() {
                answer.push(row);
            }
        }
        Ok(answer)
    }

    /// Prepares a statement, once for all that want it at the same time.
    async fn prepare(self: &Arc<Self>, sql: &str, slot: Prepared) -> Result<Statement, Missed> {
        let Prepared { types, statement } = slot;
        let prepare = async {
            let (lane, sql) = (Arc::clone(self), sql.to_owned());
            // In a task of its own: it goes on when this reader goes away, and others may wait for it.
            let task = tokio::spawn(async move {
                let mut preparing = pin!(lane.client.prepare_typed(&sql, &types));
                let (number, result) = lane.send(preparing.as_mut()).await;
                let result = match result {
                    Poll::Ready(result) => result,
                    Poll::Pending => preparing.await,
                };
                lane.leave(number);
                result
            });
            match task.await {
                Ok(result) => result.map_err(Missed::Failed),
                Err(_) => Err(Missed::Elsewhere),
            }
        };
        statement.get_or_try_init(|| prepare).await.cloned()
    }

    /// Where the statement for these values is kept; none when they hold one that is not sent on a lane.
    fn slot(&self, sql: &str, values: &[Value]) -> Option<Prepared> {
        let mut prepared = sync::lock(&self.prepared);
        let known = prepared
            .get(sql)
            .and_then(|known| known.iter().find(|one| fits(&one.types, values)));
        if let Some(known) = known {
            return Some(known.clone());
        }
        let slot = Prepared {
            types: values.iter().map(type_of).collect::<Option<_>>()?,
            statement: Arc::default(),
        };
        if prepared.len() >= PREPARED {
            prepared.clear();
        }
        let known = prepared.entry(sql.into()).or_default();
        known.truncate(VARIANTS - 1);
        known.push(slot.clone());
        Some(slot)
    }

    /// Prepares this text anew when it is next wanted.
    pub(super) fn forget(&self, sql: &str) {
        let mut prepared = sync::lock(&self.prepared);
        prepared.remove(sql);
    }

    /// Whether the server is still there.
    pub(super) async fn answers(&self) -> bool {
        let asked = tokio::time::timeout(Duration::from_secs(1), self.client.check_connection());
        let there = matches!(asked.await, Ok(Ok(())));
        if there {
            self.answered
                .store(micros(self.born.elapsed()), Ordering::Relaxed);
        }
        there
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Relaxed) && !self.client.is_closed()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting().queue.is_empty()
    }

    /// Whether nothing was asked of it for so long.
    pub(super) fn rested(&self, span: Duration) -> bool {
        let last = Duration::from_micros(self.answered.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(last) > span && self.is_idle()
    }

    /// Takes no more reads. The connection ends when those that run have ended.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Ends the connection, whatever runs on it.
    pub(super) fn end(&self) {
        self.retire();
        self.connection.abort();
    }

    pub(super) fn was_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn traffic(&self, now: Instant) -> Traffic {
        let waiting = self.waiting();
        let Some((_, oldest)) = waiting.queue.front() else {
            return Traffic {
                depth: 0,
                oldest: Duration::ZERO,
                stalled: false,
            };
        };
        Traffic {
            depth: waiting.queue.len(),
            oldest: now.saturating_duration_since(*oldest),
            stalled: self.working(now, *oldest) > self.usually(),
        }
    }

    /// How long the server has worked on the oldest statement: since it was sent, or since the one before it was answered.
    fn working(&self, now: Instant, oldest: Instant) -> Duration {
        let answered = self.born + Duration::from_micros(self.answered.load(Ordering::Relaxed));
        now.saturating_duration_since(oldest.max(answered))
    }

    /// How long the next answer may take before it is out of the usual. On a machine that is busy everything takes its time, and to call
    /// that a stalled lane would send all reads elsewhere when it helps the least.
    fn usually(&self) -> Duration {
        SILENCE + Duration::from_micros(u64::from(self.usual.load(Ordering::Relaxed))) * 2
    }

    /// True when answers have stopped coming because of a statement sent before this one.
    fn held_up(&self, number: Option<u64>) -> bool {
        let waiting = self.waiting();
        waiting.queue.front().is_some_and(|(first, sent)| {
            Some(*first) != number && self.working(Instant::now(), *sent) > self.usually()
        })
    }

    /// How long the server has worked on this statement; none while it waits for its turn.
    fn running(&self, number: u64) -> Option<Duration> {
        let waiting = self.waiting();
        let (first, sent) = waiting.queue.front()?;
        (*first == number).then(|| self.working(Instant::now(), *sent))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        sync::lock(&self.waiting)
    }

    fn leave(&self, number: u64) {
        let now = Instant::now();
        let mut waiting = self.waiting();
        // Nearly always the first.
        let Some(at) = waiting.queue.iter().position(|(known, _)| *known == number) else {
            return;
        };
        let sent = waiting.queue.remove(at).map_or(now, |(_, sent)| sent);
        drop(waiting);
        self.answered.store(
            micros(now.saturating_duration_since(self.born)),
            Ordering::Relaxed,
        );
        let took = now.saturating_duration_since(sent).min(USUAL);
        let usual = self.usual.load(Ordering::Relaxed);
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.usual
            .store(usual - usual / 8 + took / 8, Ordering::Relaxed);
    }

    /// Waits for the end of a statement that nobody waits for any more, and cancels it when it takes long.
    async fn abandoned(&self, number: u64, mut asking: Asking) {
        while tokio::time::timeout(GRACE, asking.as_mut()).await.is_err() {
            // What waits behind somebody else's statement is not to blame, and a cancel request would hit that one.
            if self.running(number).is_none_or(|time| time < GRACE) {
                continue;
            }
            self.retire();
            self.cancelled.store(true, Ordering::Relaxed);
            self.canceller.cancel().await;
            if tokio::time::timeout(PATIENCE, asking.as_mut())
                .await
                .is_err()
            {
                self.end();
            }
            break;
        }
        self.leave(number);
    }
}

/// A read's place among those that wait for answers.
struct Place {
    lane: Arc<Lane>,
    number: u64,
    /// Sent, and not answered to the end.
    asking: Option<Asking>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        match (self.asking.take(), runtime) {
            (Some(asking), Ok(runtime)) => {
                let (lane, number) = (Arc::clone(&self.lane), self.number);
                drop(runtime.spawn(async move { lane.abandoned(number, asking).await }));
            }
            (Some(_), Err(_)) => self.lane.end(),
            (None, _) => self.lane.leave(self.number),
        }
    }
}

fn fits(types: &[Type], values: &[Value]) -> bool {
    types.len() == values.len()
        && types
            .iter()
            .zip(values)
            .all(|(ty, value)| type_of(value).is_some_and(|of| of == *ty))
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
