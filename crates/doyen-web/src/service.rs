//! The application as the edge sees it: built once, then asked for every request.

mod build;
mod cors;
mod hosts;
mod limits;
mod options;
mod origin;
mod proxies;

pub use build::{Builder, StartError};
pub use cors::{Cors, WrongCors};
pub use hosts::{HostName, NotAHost};
pub(crate) use limits::Limited;
pub use limits::RateLimits;
pub use options::EdgeOptions;
pub use origin::{NotAnOrigin, Origin};
pub use proxies::{EverybodyTrusted, ForwardedField, Network, NotANetwork, TrustedProxies};

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use doyen_core::AccessSink;
use doyen_core::inject::Container;
use doyen_core::{Identify, ProblemInfo};
use doyen_schema::Named;
use doyen_schema::contract::Operation;
use tokio_util::task::TaskTracker;

use crate::meter::{Meter, Reading};
use crate::problem::Classifier;
use crate::router::Router;
use crate::server::{Account, Budget};
use crate::trip::{BaseHeaders, Load};
use crate::{Body, Response};

/// A built application. Cloning shares it.
#[derive(Clone)]
pub struct Service {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) router: Router,
    pub(crate) unrouted: Meter,
    pub(crate) container: Container,
    pub(crate) identify: Option<Arc<dyn Identify>>,
    pub(crate) limits: Option<RateLimits>,
    /// For requests that no route answers.
    pub(crate) unmatched: Option<Limited>,
    pub(crate) sink: Option<Arc<dyn AccessSink>>,
    pub(crate) classifiers: Vec<Classifier>,
    pub(crate) options: EdgeOptions,
    pub(crate) base_headers: BaseHeaders,
    pub(crate) load: Load,
    pub(crate) budget: Arc<Budget>,
    operations: Vec<Operation>,
    components: Named,
    catalogue: Vec<&'static ProblemInfo>,
    modules: Vec<(String, String)>,
    pub(crate) drain: Arc<Drain>,
    // Closed from the start, so that waiting for it means: until it is empty.
    pub(crate) endings: TaskTracker,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("operations", &self.inner.operations.len())
            .finish_non_exhaustive()
    }
}

impl Service {
    /// Begins an application.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Answers one request. It never fails: what goes wrong is a problem response.
    pub async fn handle(&self, request: http::Request<Body>, peer: Option<SocketAddr>) -> Response {
        crate::trip::run(&self.inner, request, peer, None).await
    }

    /// The same for a connection of the server, which accounts for the memory of its requests.
    pub(crate) fn serve<'a>(
        &'a self,
        request: http::Request<Body>,
        peer: SocketAddr,
        account: &'a Arc<Account>,
    ) -> impl Future<Output = Response> + Send + 'a {
        crate::trip::run(&self.inner, request, Some(peer), Some(account))
    }

    /// Every route, in the order it was mounted.
    pub fn operations(&self) -> &[Operation] {
        &self.inner.operations
    }

    /// The named schemas of the document.
    pub fn components(&self) -> &Named {
        &self.inner.components
    }

    /// Name and description of each module.
    pub fn modules(&self) -> &[(String, String)] {
        &self.inner.modules
    }

    /// Every problem that any route, or the edge itself, can answer with; each code once.
    pub fn catalogue(&self) -> &[&'static ProblemInfo] {
        &self.inner.catalogue
    }

    /// The graph, for jobs and commands.
    pub fn container(&self) -> &Container {
        &self.inner.container
    }

    /// What each route has counted so far, and at the end what found no route.
    pub fn readings(&self) -> Vec<Reading> {
        let routed = self.inner.router.entries().map(|entry| {
            entry
                .meter
                .reading(entry.operation.method, &entry.operation.path)
        });
        routed
            .chain([self.inner.unrouted.reading("*", "")])
            .collect()
    }

    /// What the service refuses and holds because there is too much of it.
    pub fn pressure(&self) -> Pressure {
        Pressure {
            shed: self.inner.load.shed(),
            buffered: self.inner.budget.used(),
            disconnected: self.inner.budget.disconnected(),
        }
    }

    /// Done once everything that follows the answers given so far has ended: rolling back, releasing what was made for a request.
    pub async fn settled(&self) {
        self.inner.endings.wait().await;
    }

    /// The state of the drain.
    pub fn drain(&self) -> Arc<Drain> {
        Arc::clone(&self.inner.drain)
    }
}

/// What a service refuses and holds because there is too much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pressure {
    /// Requests refused so far because of overload (503 `overloaded`).
    pub shed: u64,
    /// Bytes that are held for clients now.
    pub buffered: usize,
    /// Connections closed so far because their client held the most of these bytes.
    pub disconnected: u64,
}

/// Whether the service is going away. Injectable as `Arc<Drain>`.
#[derive(Debug, Default)]
pub struct Drain(AtomicBool);

impl Drain {
    /// From now on the service is not ready: it answers, but asks balancers to look elsewhere.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// True once the drain has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
