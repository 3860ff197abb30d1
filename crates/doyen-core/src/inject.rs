//! Dependency injection.
//!
//! A type that implements [`Inject`] can be a parameter of a handler or a provider, or a field of
//! another such type. There are three ways to implement or provide one:
//!
//! - `#[derive(Inject)]` on a struct whose fields can all be injected;
//! - `#[provider]` on an `async fn` whose parameters can all be injected and which returns the
//!   type;
//! - `Module::provide` for a value that exists before the application starts, injected as `Arc<T>`.
//!
//! A port (a trait of the domain) is injected as `Arc<dyn Port>`; a module binds it to an adapter.
//!
//! Each type has a [`Lifetime`]. A value is created once per lifetime, on first use, and released
//! in reverse order. The whole [graph](Graph) is checked before the first request: missing and
//! circular dependencies and wrong lifetimes are refused, with the chain.
//!
//! What it does not do: it creates no value that is not needed, and it has no global state.

mod binding;
mod container;
mod context;
mod error;
mod facts;
mod graph;
mod known;
mod node;
mod port;
mod teardown;
mod unit_of_work;

pub use binding::Binding;
pub use container::{Container, ContainerBuilder};
pub use context::{BoxFuture, Context};
pub use error::GraphError;
pub use facts::RequestFacts;
pub use graph::Graph;
pub use node::{Need, Needs, Node};
pub use port::Port;
pub use teardown::Teardown;
pub use unit_of_work::{UnitOfWork, WorkStats};

use std::future::Future;
use std::sync::Arc;

use crate::Refusal;

/// How long a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifetime {
    /// A new value for each dependent.
    Call,
    /// Created once per request, job or command, and shared within it. The default.
    Request,
    /// Created once, and shared by the whole application.
    Application,
}

/// A type that can be created by injection.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use std::sync::Arc;
/// use doyen_core::{Clock, Inject};
///
/// #[derive(Clone, Inject)]
/// struct Orders {
///     clock: Arc<dyn Clock>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be injected",
    label = "there is no provider for `{Self}`",
    note = "write `#[derive(Clone, Inject)]` above it if all its fields can be injected,",
    note = "or `#[provider] async fn ...(..) -> {Self}` that makes one,",
    note = "or inject `Arc<{Self}>` and give the value with `Module::provide`"
)]
pub trait Inject: Clone + Send + Sync + 'static {
    /// How long a value lives.
    const LIFETIME: Lifetime = Lifetime::Request;

    /// Describes its dependencies.
    fn node() -> Node;

    /// Returns the value if the pipeline already has it, for the few types of which it has one.
    #[doc(hidden)]
    fn known(_: &RequestFacts) -> Option<Self> {
        None
    }

    /// Creates a value. Use [`Context::get`] instead, which observes the lifetimes.
    fn make(cx: &Context) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

impl<T: ?Sized + Send + Sync + 'static> Inject for Arc<T> {
    // The binding has the real lifetime. A lookup is cheap, so nothing is cached here.
    const LIFETIME: Lifetime = Lifetime::Call;

    fn node() -> Node {
        Node::port::<T>()
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        cx.port::<T>().await
    }
}

/// No value, for work that needs none.
#[diagnostic::do_not_recommend]
impl Inject for () {
    const LIFETIME: Lifetime = Lifetime::Call;

    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }

    async fn make(_: &Context) -> Result<Self, Refusal> {
        Ok(())
    }
}

macro_rules! tuple {
    ($($name:ident),+) => {
        /// Several values, for work that takes one argument.
        #[diagnostic::do_not_recommend]
        impl<$($name: Inject),+> Inject for ($($name,)+) {
            const LIFETIME: Lifetime = Lifetime::Call;

            fn node() -> Node {
                Node::of::<Self>(vec![$($name::node),+])
            }

            async fn make(cx: &Context) -> Result<Self, Refusal> {
                Ok(($(cx.get::<$name>().await?,)+))
            }
        }
    };
}

tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
