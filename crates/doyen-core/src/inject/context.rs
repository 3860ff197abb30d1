//! What one request, job or command has made so far.

use std::any::{Any, TypeId};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};

use super::{Container, Inject, Lifetime, Node, RequestFacts, Statistics, Teardown, UnitOfWork};
use crate::sync::lock;
use crate::{Caller, Refusal, Unexpected};

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The request's own memory: what was made, what must be released, what must be committed. Cloning
/// shares it.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    container: Container,
    facts: RequestFacts,
    // Few things are made per request: a short list is faster than a map.
    made: Mutex<Vec<(TypeId, Slot)>>,
    // Few requests have anything to release.
    teardown: OnceLock<Teardown>,
    work: Mutex<Work>,
}

/// The units of work of this context: those still open, and all that ever joined, for the
/// statistics.
#[derive(Default)]
struct Work {
    open: Vec<Arc<dyn UnitOfWork>>,
    all: Vec<Arc<dyn UnitOfWork>>,
}

/// The place of one value. Two that ask at once wait for one making.
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

    /// The application's part.
    pub fn container(&self) -> &Container {
        &self.inner.container
    }

    /// The value of this type: the one made before in this lifetime, else a new one.
    ///
    /// # Errors
    ///
    /// What the provider, or one of those it needs, refuses with. A refusal is not kept: the next
    /// one to ask tries again.
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
                // An application's value is made in a context of its own, which lives until the
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

    /// Returns the identified caller of this request, like injecting `Option<Caller>` but without
    /// a copy.
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.inner.facts.caller.as_ref()?.as_ref()
    }

    /// The value of this type if it is known or has been made already.
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

    /// What is bound for `Arc<T>`.
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

    /// The work to do when this context ends, in reverse order.
    pub fn teardown(&self) -> Teardown {
        self.inner.teardown.get_or_init(Teardown::default).clone()
    }

    /// True when there is nothing to do at the end: the edge asks before it spends a task on it.
    pub fn is_light(&self) -> bool {
        self.inner.teardown.get().is_none_or(Teardown::is_empty)
    }

    /// Joins a unit of work: it is committed when the request succeeds and rolled back when it does
    /// not.
    pub fn enlist(&self, work: Arc<dyn UnitOfWork>) {
        let mut joined = lock(&self.inner.work);
        joined.open.push(Arc::clone(&work));
        joined.all.push(work);
    }

    /// Commits every unit of work, in the order they joined.
    ///
    /// # Errors
    ///
    /// The first commit that fails; those after it are rolled back.
    pub async fn commit(&self) -> Result<(), Refusal> {
        let all = std::mem::take(&mut lock(&self.inner.work).open);
        let mut failed = None;
        for work in all {
            match failed {
                None => failed = work.commit().await.err(),
                Some(_) => work.rollback().await,
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Rolls back every unit of work.
    pub async fn rollback(&self) {
        let all = std::mem::take(&mut lock(&self.inner.work).open);
        for work in all {
            work.rollback().await;
        }
    }

    /// What all units of work of this context have done so far.
    pub fn statistics(&self) -> Statistics {
        let mut sum = Statistics::default();
        for work in &lock(&self.inner.work).all {
            let one = work.statistics();
            sum.statements += one.statements;
            sum.time += one.time;
        }
        sum
    }

    /// Runs the teardown.
    pub async fn close(&self) {
        if let Some(teardown) = self.inner.teardown.get() {
            teardown.run().await;
        }
    }
}
