//! The application as the edge sees it: built once, then called for every request.

mod builder;
mod contracts;
mod describe;
mod drain;
mod start_error;
mod tower;

pub use builder::Builder;
pub use contracts::Contracts;
pub use drain::Drain;
pub use start_error::StartError;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use doyen_core::ProblemInfo;
use doyen_core::inject::Container;
use doyen_schema::Named;
use doyen_schema::contract::Operation;

use crate::budget::{Account, Budget};
use crate::meter::RouteMetrics;
use crate::options::EdgeOptions;
use crate::pipeline::Pipeline;
use crate::server::ConnectionInfo;
use crate::{Body, Response, RootPath};

/// A built application. Cloning shares it.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    pipeline: Arc<Pipeline>,
    budget: Arc<Budget>,
    contracts: Arc<Contracts>,
    catalogue: Vec<&'static ProblemInfo>,
    drain: Arc<Drain>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("operations", &self.operations().len())
            .finish_non_exhaustive()
    }
}

impl Service {
    /// Starts to build an application.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Handles a request. It never fails: every error becomes a problem response.
    pub async fn handle(&self, request: http::Request<Body>, peer: Option<SocketAddr>) -> Response {
        let connection = ConnectionInfo {
            peer,
            is_unix: false,
            is_tls: false,
        };
        self.inner.pipeline.handle(request, connection, None).await
    }

    /// Handles a request of a connection, whose account is charged for the memory.
    pub(crate) fn serve<'a>(
        &'a self,
        request: http::Request<Body>,
        connection: ConnectionInfo,
        account: &'a Arc<Account>,
    ) -> impl Future<Output = Response> + Send + 'a {
        self.inner
            .pipeline
            .handle(request, connection, Some(account))
    }

    pub(crate) fn options(&self) -> &EdgeOptions {
        &self.inner.pipeline.options
    }

    /// Returns the prefix of its public URLs.
    pub fn root_path(&self) -> &RootPath {
        &self.options().root_path
    }

    /// Returns the response to a connection above the limit.
    pub(crate) fn overloaded(&self, request_id: &str) -> Response {
        self.inner.pipeline.problems.overloaded(request_id)
    }

    /// True once the drain has begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.inner.drain.has_begun()
    }

    /// Opens an account for a new connection. `client` is `None` for a trusted proxy.
    pub(crate) fn open_account(&self, client: Option<IpAddr>) -> Arc<Account> {
        self.inner.budget.open(client)
    }

    /// Returns every route, in mounting order.
    pub fn operations(&self) -> &[Operation] {
        &self.inner.contracts.operations
    }

    /// Returns the named schemas of the OpenAPI document.
    pub fn components(&self) -> &Named {
        &self.inner.contracts.components
    }

    /// Returns the contracts of all routes.
    pub fn contracts(&self) -> &Arc<Contracts> {
        &self.inner.contracts
    }

    /// Returns every problem that a route or the edge can respond with, by code.
    pub fn catalogue(&self) -> &[&'static ProblemInfo] {
        &self.inner.catalogue
    }

    /// Returns the versions of the API, if it has any.
    pub fn versions(&self) -> Option<&Arc<crate::VersionSet>> {
        self.inner.pipeline.versions.as_ref()
    }

    /// Returns what identifies callers, if anything does: see
    /// [`RetainedCredentials`](crate::RetainedCredentials).
    pub fn identification(&self) -> Option<Arc<dyn doyen_core::Identify>> {
        self.inner.pipeline.identify.clone()
    }

    /// Returns the injection container, for jobs and commands.
    pub fn container(&self) -> &Container {
        &self.inner.pipeline.container
    }

    /// Returns the metrics of each route, and last those of requests without a route.
    pub fn metrics(&self) -> Vec<RouteMetrics> {
        let pipeline = &self.inner.pipeline;
        let routes = pipeline.router.routes();
        let routes = routes.map(|route| route.meter.snapshot(route.method, &route.path));
        routes
            .chain([pipeline.unmatched_meter.snapshot("*", "")])
            .collect()
    }

    /// Returns what the service rejects and holds because of load.
    pub fn pressure(&self) -> Pressure {
        Pressure {
            running: self.inner.pipeline.concurrency.current(),
            shed: self.inner.pipeline.concurrency.shed(),
            buffered: self.inner.budget.used(),
            disconnected: self.inner.budget.disconnected(),
        }
    }

    /// Completes when the cleanup of all requests so far is done: rollbacks, and the release of
    /// what was created for a request.
    pub async fn settled(&self) {
        self.inner.pipeline.cleanups.wait().await;
    }

    /// Returns the state of the drain.
    pub fn drain(&self) -> Arc<Drain> {
        Arc::clone(&self.inner.drain)
    }
}

/// What a service rejects and holds because of load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pressure {
    /// Requests that are being handled. Those whose client still sends the body do not count.
    pub running: usize,
    /// Requests rejected so far because of overload (503 `overloaded`).
    pub shed: u64,
    /// Bytes that are currently held for clients.
    pub buffered: usize,
    /// Connections closed so far because their client held the most of these bytes.
    pub disconnected: u64,
}
