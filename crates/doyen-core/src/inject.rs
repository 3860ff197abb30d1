//! Dependency injection: types that are made of other types.
//!
//! A type that implements [`Inject`] can stand in the signature of a handler, of a provider or inside another such type. There are three
//! ways to get one:
//!
//! - `#[derive(Inject)]` on a struct whose fields can all be injected;
//! - `#[provider]` on an `async fn` whose parameters can all be injected and whose answer is the type;
//! - `Module::provide` for a value that exists before the application starts, asked for as `Arc<T>`.
//!
//! A port (a trait the domain owns) is asked for as `Arc<dyn Port>`; a module binds it to an adapter.
//!
//! Each has a [`Lifetime`]. A value is made once per lifetime, in the order it is asked for, and released in the reverse order. The whole
//! [graph](Graph) is checked before the first request: what is missing, circular or held too long is refused with the chain.
//!
//! What it does not do: it never makes a value that nobody asked for, and it has no global state.

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
pub use unit_of_work::{Statistics, UnitOfWork};

use std::future::Future;
use std::sync::Arc;

use crate::Refusal;

/// How long a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifetime {
    /// Made again each time somebody asks.
    Call,
    /// Made once per request, job or command, and shared within it. The default.
    Request,
    /// Made once, shared by all.
    Application,
}

/// A type that can be made from the things an application knows.
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
    message = "`{Self}` can not be injected",
    label = "nothing says how to make a `{Self}`",
    note = "write `#[derive(Clone, Inject)]` above it if all its fields can be injected,",
    note = "or `#[provider] async fn ...(..) -> {Self}` that makes one,",
    note = "or ask for `Arc<{Self}>` and give the value with `Module::provide`"
)]
pub trait Inject: Clone + Send + Sync + 'static {
    /// How long a value lives.
    const LIFETIME: Lifetime = Lifetime::Request;

    /// Says what it is made of.
    fn node() -> Node;

    /// The value the edge knew from the start, for the few types of which it knows one.
    #[doc(hidden)]
    fn known(_: &RequestFacts) -> Option<Self> {
        None
    }

    /// Makes one. Ask [`Context::get`] instead: it keeps the lifetimes.
    fn make(cx: &Context) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

impl<T: ?Sized + Send + Sync + 'static> Inject for Arc<T> {
    // The binding knows its own lifetime; asking the binding is cheap, so nothing is kept here.
    const LIFETIME: Lifetime = Lifetime::Call;

    fn node() -> Node {
        Node::port::<T>()
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        cx.port::<T>().await
    }
}

/// Nothing, for work that needs no value.
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
