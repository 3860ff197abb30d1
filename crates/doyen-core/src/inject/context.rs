//! The values of one request, job or command.

use std::any::{Any, TypeId};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use super::{Container, Inject, Lifetime, Node, RequestFacts, Teardown, UnitOfWork, WorkStats};
use crate::sync::lock;
use crate::{Caller, Observation, Refusal, TraceContext, Unexpected};

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The values, cleanup steps and units of work of a request. Clones share them.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    container: Container,
    facts: RequestFacts,
    // A request has few values: a short list is faster than a map.
    made: Mutex<Vec<(TypeId, Slot)>>,
    // Few requests need cleanup.
    teardown: OnceLock<Teardown>,
    work: Mutex<Work>,
}

/// The units of work of this context: the open ones, and all that ever joined, for the statistics.
#[derive(Default)]
struct Work {
    open: Vec<Arc<dyn UnitOfWork>>,
    all: Vec<Arc<dyn UnitOfWork>>,
    after_commit: Vec<AfterCommit>,
}

type AfterCommit = Box<dyn FnOnce() + Send>;

/// The cell of one value. Concurrent callers wait for one construction.
type Slot = Arc<futures_util::lock::Mutex<Option<Box<dyn Any + Send + Sync>>>>;

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

impl Context {
    pub(super) fn new(container: Container, facts: RequestFacts) -> Self {
        Self {
            inner: Arc::new(Inner {
                container,
                facts,
                made: Mutex::default(),
                teardown: OnceLock::new(),
                work: Mutex::default(),
            }),
        }
    }

    /// Returns the container.
    pub fn container(&self) -> &Container {
        &self.inner.container
    }

    /// Returns the value of this type: an existing one of this lifetime, otherwise a new one.
    ///
    /// # Errors
    ///
    /// Returns the problem of the provider, or of one of its dependencies. It is not cached: the
    /// next call tries again.
    pub async fn get<T: Inject>(&self) -> Result<T, Refusal> {
        if let Some(value) = self.inner.container.overridden::<T>() {
            return Ok(value);
        }
        match T::LIFETIME {
            Lifetime::Call => T::make(self).await,
            Lifetime::Request => match T::known(&self.inner.facts) {
                Some(value) => Ok(value),
                None => self.kept(self.slot(TypeId::of::<T>())).await,
            },
            Lifetime::Application => {
                // A value of the application is created in a context that lives until the
                // application is closed.
                let home = self.inner.container.home();
                home.kept(home.slot(TypeId::of::<T>())).await
            }
        }
    }

    async fn kept<T: Inject>(&self, slot: Slot) -> Result<T, Refusal> {
        let mut place = slot.lock().await;
        if let Some(value) = place.as_ref().and_then(|value| value.downcast_ref::<T>()) {
            return Ok(value.clone());
        }
        let value = T::make(self).await?;
        *place = Some(Box::new(value.clone()));
        Ok(value)
    }

    fn slot(&self, id: TypeId) -> Slot {
        let mut made = lock(&self.inner.made);
        if let Some((_, slot)) = made.iter().find(|(known, _)| *known == id) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        made.push((id, Arc::clone(&slot)));
        slot
    }

    /// Returns the authenticated caller of this request, like injecting `Option<Caller>` but
    /// without a copy.
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.inner.facts.caller.as_ref()?.as_ref()
    }

    /// Returns the time at which this request is given up, so that an outgoing call can end before
    /// it. `None` if there is no limit.
    pub fn deadline(&self) -> Option<Instant> {
        self.inner.facts.deadline
    }

    /// Returns the trace of this request, if it has one.
    pub fn trace(&self) -> Option<TraceContext> {
        self.inner.facts.trace
    }

    /// Returns the observation of this request, if it is observed.
    pub fn observation(&self) -> Option<&Arc<dyn Observation>> {
        self.inner.facts.observation.as_ref()
    }

    /// Returns the value of this type if it exists.
    pub fn peek<T: Inject>(&self) -> Option<T> {
        if let Some(value) = T::known(&self.inner.facts) {
            return Some(value);
        }
        let slot = lock(&self.inner.made)
            .iter()
            .find(|(known, _)| *known == TypeId::of::<T>())
            .map(|(_, slot)| Arc::clone(slot))?;
        let place = slot.try_lock()?;
        place.as_ref()?.downcast_ref::<T>().cloned()
    }

    /// Returns the value bound for `Arc<T>`.
    pub(super) async fn port<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, Refusal> {
        let Some(binding) = self.inner.container.binding(TypeId::of::<Arc<T>>()) else {
            let name = Node::port::<T>().name;
            return Err(Unexpected::new(format!(
                "nothing supplies `{name}`; the graph was not checked"
            ))
            .into());
        };
        let value = binding.supply(self).await?;
        match value.downcast::<Arc<T>>() {
            Ok(value) => Ok(*value),
            Err(_) => Err(Unexpected::new("a binding supplied another type").into()),
        }
    }

    /// Returns the cleanup of this context, which runs in reverse order.
    pub fn teardown(&self) -> Teardown {
        self.inner.teardown.get_or_init(Teardown::default).clone()
    }

    /// True if there is no cleanup; then no task is needed for it.
    pub fn is_light(&self) -> bool {
        self.inner.teardown.get().is_none_or(Teardown::is_empty)
    }

    /// Joins a unit of work: it is committed if the request succeeds, and otherwise rolled back.
    pub fn enlist(&self, work: Arc<dyn UnitOfWork>) {
        let mut joined = lock(&self.inner.work);
        joined.open.push(Arc::clone(&work));
        joined.all.push(work);
    }

    /// Calls a function once all units of work are committed, and never after a rollback.
    pub fn after_commit(&self, f: impl FnOnce() + Send + 'static) {
        lock(&self.inner.work).after_commit.push(Box::new(f));
    }

    /// Commits every unit of work, in the order they joined.
    ///
    /// # Errors
    ///
    /// Returns the first failed commit. Later units are rolled back.
    pub async fn commit(&self) -> Result<(), Refusal> {
        let (all, after) = {
            let mut work = lock(&self.inner.work);
            let after = std::mem::take(&mut work.after_commit);
            (std::mem::take(&mut work.open), after)
        };
        let mut failed = None;
        for work in all {
            match failed {
                None => failed = work.commit().await.err(),
                Some(_) => work.rollback().await,
            }
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        after.into_iter().for_each(|call| call());
        Ok(())
    }

    /// Rolls back every unit of work.
    pub async fn rollback(&self) {
        let all = {
            let mut work = lock(&self.inner.work);
            work.after_commit.clear();
            std::mem::take(&mut work.open)
        };
        for work in all {
            work.rollback().await;
        }
    }

    /// Returns the statistics of all units of work of this context.
    pub fn statistics(&self) -> WorkStats {
        let mut sum = WorkStats::default();
        for work in &lock(&self.inner.work).all {
            let one = work.statistics();
            sum.statements += one.statements;
            sum.time += one.time;
        }
        sum
    }

    /// Runs the cleanup.
    pub async fn close(&self) {
        if let Some(teardown) = self.inner.teardown.get() {
            teardown.run().await;
        }
    }
}
