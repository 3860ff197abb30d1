//! A layer of any kind.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use doyen_core::inject::Needs;
use doyen_schema::contract::Contract;

use super::function::{self, Around};
use super::next::{Next, Stack};
use super::passage::Refuser;
use super::tower::{self, Oneshot};

/// A place in the pipeline for layers that an application or a plugin adds for all routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Around the router: every request, also one that matches no route. It runs before the caller
    /// is known and before rate limits, and sees the response after the commit.
    Request,
    /// Around each route: after authorization, in the unit of work of the request.
    Route,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Slot::Request => "request",
            Slot::Route => "route",
        })
    }
}

/// A [`tower_layer::Layer`] over [`Next`] whose service can be shared and whose error is any error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a layer here",
    label = "not a `tower` layer whose service can be cloned and shared",
    note = "its service takes `http::Request<Body>`, returns `http::Response<B>` with a body of `Bytes`, and is `Clone + Send + Sync`",
    note = "for a function with `Request` and `Next`, write `.around(function)`"
)]
pub trait TowerLayer {
    /// Returns the layer without its type.
    fn boxed(self) -> BoxLayer;
}

impl<L> TowerLayer for L
where
    L: tower_layer::Layer<Next> + Send + Sync + 'static,
    L::Service: Oneshot,
{
    fn boxed(self) -> BoxLayer {
        BoxLayer {
            name: type_name::<L>(),
            wrap: Arc::new(move |inner, refuser| tower::apply(&self, inner, refuser)),
            describe: |_| {},
            needs: Needs::default(),
            reads_parts: false,
        }
    }
}

type Wrap = dyn Fn(Stack, &Refuser) -> Stack + Send + Sync;

/// A function around requests, or a `tower` layer.
#[derive(Clone)]
pub struct BoxLayer {
    name: &'static str,
    wrap: Arc<Wrap>,
    pub(crate) describe: fn(&mut Contract<'_>),
    pub(crate) needs: Needs,
    pub(crate) reads_parts: bool,
}

impl fmt::Debug for BoxLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxLayer").field(&self.name).finish()
    }
}

impl BoxLayer {
    /// Creates a layer from a function: see [`Around`].
    pub fn around<Args: 'static, F: Around<Args>>(function: F) -> Self {
        let mut needs = Needs::default();
        F::needs(&mut needs);
        Self {
            name: type_name::<F>(),
            wrap: Arc::new(move |inner, refuser| {
                function::apply::<Args, F>(function.clone(), inner, refuser)
            }),
            describe: F::describe,
            needs,
            reads_parts: F::READS_PARTS,
        }
    }

    /// Creates a layer from a `tower` layer. It is applied once for each route, or once for the
    /// application: a `tower` layer with state shares it between the requests of a route.
    pub fn tower(layer: impl TowerLayer) -> Self {
        layer.boxed()
    }

    /// Returns the name of its type.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// True if it has extractors or injected types, which need a route.
    pub const fn needs_route(&self) -> bool {
        self.reads_parts
    }

    pub(crate) fn wrap(&self, inner: Stack, refuser: &Refuser) -> Stack {
        (self.wrap)(inner, refuser)
    }
}
