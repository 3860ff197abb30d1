//! The container: bindings, values with the lifetime of the application, and overrides.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::graph::short;
use super::node::Extracted;
use super::{Binding, Context, Graph, GraphError, Inject, Needs, Port, RequestFacts};
use crate::observe::begin_work;
use crate::sync;
use crate::{Observation, ProblemInfo, RequestId, RequestObserver, TraceContext, WorkKind};

/// Everything that an application can inject. Clones share it.
#[derive(Clone, Debug)]
pub struct Container {
    inner: Arc<Inner>,
}

struct Inner {
    bindings: HashMap<TypeId, Binding>,
    overrides: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    observer: Option<Arc<dyn RequestObserver>>,
    // Emptied by `close`, because context and container refer to each other.
    home: Mutex<Option<Context>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container")
            .field("bindings", &self.bindings.len())
            .finish_non_exhaustive()
    }
}

impl Container {
    /// Starts a container.
    pub fn builder() -> ContainerBuilder {
        ContainerBuilder::default()
    }

    /// Creates a context for one request, job or command.
    pub fn context(&self) -> Context {
        self.context_of(RequestFacts::default())
    }

    /// Creates the context of a request, job or command with these facts.
    pub fn context_of(&self, facts: RequestFacts) -> Context {
        Context::new(self.clone(), facts)
    }

    /// Begins a job, an event handler or a message: its position in the trace of its cause, and its
    /// observation if it is observed. See [`begin_work`](crate::begin_work).
    pub fn begin_work(
        &self,
        kind: WorkKind,
        name: &str,
        request_id: RequestId,
        traceparent: Option<&str>,
    ) -> (TraceContext, Option<Arc<dyn Observation>>) {
        let observer = self.inner.observer.as_deref();
        begin_work(observer, kind, name, request_id, traceparent)
    }

    /// Returns the context of values with the lifetime of the application.
    pub(super) fn home(&self) -> Context {
        let mut home = sync::lock(&self.inner.home);
        home.get_or_insert_with(|| self.context()).clone()
    }

    /// Releases the values of the application in reverse order. Call it once, after the last
    /// request.
    pub async fn close(&self) {
        let home = sync::lock(&self.inner.home).take();
        if let Some(home) = home {
            home.close().await;
        }
    }

    pub(super) fn binding(&self, id: TypeId) -> Option<&Binding> {
        self.inner.bindings.get(&id)
    }

    pub(super) fn overridden<T: Inject>(&self) -> Option<T> {
        if self.inner.overrides.is_empty() {
            return None;
        }
        self.inner
            .overrides
            .get(&TypeId::of::<T>())?
            .downcast_ref::<T>()
            .cloned()
    }

    /// Returns what a test has put in the place of an extractor.
    pub fn extracted<T: 'static>(&self) -> Option<T> {
        if self.inner.overrides.is_empty() {
            return None;
        }
        let make = self.inner.overrides.get(&TypeId::of::<Extracted<T>>())?;
        make.downcast_ref::<Make<T>>().map(|make| make())
    }

    /// Returns every problem that creating these can cause.
    pub fn problems(&self, needs: &Needs) -> Vec<&'static ProblemInfo> {
        Graph::new(&self.inner.bindings).problems(needs)
    }
}

/// Makes what replaces an extractor.
type Make<T> = Box<dyn Fn() -> T + Send + Sync>;

/// Collects bindings and overrides, then checks the graph.
#[derive(Default)]
pub struct ContainerBuilder {
    bindings: HashMap<TypeId, Binding>,
    defaults: HashMap<TypeId, Binding>,
    replaced: HashMap<TypeId, (&'static str, Binding)>,
    overrides: HashMap<TypeId, (&'static str, Box<dyn Any + Send + Sync>)>,
    observer: Option<Arc<dyn RequestObserver>>,
    errors: Vec<GraphError>,
}

impl std::fmt::Debug for ContainerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerBuilder")
            .field("bindings", &self.bindings.len())
            .finish_non_exhaustive()
    }
}

impl ContainerBuilder {
    /// Binds a port to an adapter.
    pub fn bind<P: ?Sized + Port<A>, A: Inject>(&mut self) {
        self.add::<P>(Binding::adapter::<P, A>());
    }

    /// Provides an existing value, injected as `Arc<T>`.
    pub fn provide<T: ?Sized + Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.add::<T>(Binding::value(value));
    }

    /// Binds a port to an adapter unless there is another binding.
    pub fn bind_default<P: ?Sized + Port<A>, A: Inject>(&mut self) {
        let binding = Binding::adapter::<P, A>();
        self.defaults.insert(TypeId::of::<Arc<P>>(), binding);
    }

    /// Sets the observer of jobs, event handlers and messages.
    pub fn observer(&mut self, observer: Arc<dyn RequestObserver>) {
        self.observer = Some(observer);
    }

    fn add<T: ?Sized + 'static>(&mut self, binding: Binding) {
        if self
            .bindings
            .insert(TypeId::of::<Arc<T>>(), binding)
            .is_some()
        {
            self.errors.push(GraphError::Twice {
                name: short(type_name::<T>()),
            });
        }
    }

    /// Replaces the provider of `Arc<T>`, for tests.
    pub fn replace<T: ?Sized + Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.replaced.insert(
            TypeId::of::<Arc<T>>(),
            (type_name::<T>(), Binding::value(value)),
        );
    }

    /// Injects this value for `T`, for tests.
    pub fn override_with<T: Inject>(&mut self, value: T) {
        self.overrides
            .insert(TypeId::of::<T>(), (type_name::<T>(), Box::new(value)));
    }

    /// Calls this function in the place of the extractor of `T`, for tests.
    pub fn override_extractor<T: 'static>(&mut self, make: impl Fn() -> T + Send + Sync + 'static) {
        let make: Make<T> = Box::new(make);
        self.overrides.insert(
            TypeId::of::<Extracted<T>>(),
            (type_name::<T>(), Box::new(make)),
        );
    }

    /// Checks the graph from all roots and closes the container.
    ///
    /// # Errors
    ///
    /// Returns every dependency that is missing, circular, bound twice, of a wrong lifetime, or
    /// overridden without need, each with its chain.
    pub fn build(mut self, roots: &[(String, Needs)]) -> Result<Container, Vec<GraphError>> {
        let mut errors = std::mem::take(&mut self.errors);
        for (id, binding) in self.defaults {
            self.bindings.entry(id).or_insert(binding);
        }
        let asked = asked(roots, &self.bindings);
        for (id, (name, binding)) in self.replaced {
            if !asked.contains(&id) {
                errors.push(GraphError::Unused { name: short(name) });
            }
            self.bindings.insert(id, binding);
        }
        for (id, (name, _)) in &self.overrides {
            if !asked.contains(id) {
                errors.push(GraphError::Unused { name: short(name) });
            }
        }
        let graph = Graph::new(&self.bindings).given(self.overrides.keys().copied());
        for (root, needs) in roots {
            for error in graph.check(root, needs) {
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let overrides = self
            .overrides
            .into_iter()
            .map(|(id, (_, value))| (id, value))
            .collect();
        Ok(Container {
            inner: Arc::new(Inner {
                bindings: self.bindings,
                overrides,
                observer: self.observer,
                home: Mutex::new(None),
            }),
        })
    }
}

/// Every type that another one depends on.
fn asked(
    roots: &[(String, Needs)],
    bindings: &HashMap<TypeId, Binding>,
) -> std::collections::HashSet<TypeId> {
    let mut seen = std::collections::HashSet::new();
    let mut queue: Vec<_> = roots
        .iter()
        .flat_map(|(_, needs)| needs.0.iter().map(|need| need()))
        .collect();
    while let Some(node) = queue.pop() {
        if seen.insert(node.id) {
            let needs = match bindings.get(&node.id) {
                Some(binding) => {
                    let bound = binding.node(node.name);
                    seen.insert(bound.id);
                    bound.needs
                }
                None => node.needs,
            };
            queue.extend(needs.iter().map(|need| need()));
        }
    }
    seen
}
