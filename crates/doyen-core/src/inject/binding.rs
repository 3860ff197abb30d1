//! Bindings: an adapter for a port, or a value.

use std::any::{Any, type_name};
use std::sync::Arc;

use super::{BoxFuture, Context, Inject, Lifetime, Node, Port};
use crate::Refusal;

/// Boxed value of the type `Arc<T>` of a binding.
pub(super) type Erased = Box<dyn Any + Send + Sync>;

/// The source of one port or value.
#[derive(Clone)]
pub struct Binding {
    supply: Supply,
    name: &'static str,
}

#[derive(Clone)]
enum Supply {
    /// An adapter, which is injected itself.
    Adapter {
        node: fn() -> Node,
        make: for<'a> fn(&'a Context) -> BoxFuture<'a, Result<Erased, Refusal>>,
    },
    /// An existing value.
    Value(Arc<dyn Fn() -> Erased + Send + Sync>),
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Binding")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Binding {
    /// Binds a port to an adapter.
    pub fn adapter<P: ?Sized + Port<A>, A: Inject>() -> Self {
        let make = |cx: &Context| -> BoxFuture<'_, Result<Erased, Refusal>> {
            let cx = cx.clone();
            Box::pin(async move {
                let adapter = cx.get::<A>().await?;
                Ok(Box::new(P::adapt(adapter)) as Erased)
            })
        };
        Self {
            supply: Supply::Adapter {
                node: A::node,
                make,
            },
            name: type_name::<A>(),
        }
    }

    /// Binds an existing value.
    pub fn value<T: ?Sized + Send + Sync + 'static>(value: Arc<T>) -> Self {
        Self {
            supply: Supply::Value(Arc::new(move || Box::new(Arc::clone(&value)))),
            name: type_name::<T>(),
        }
    }

    /// Returns the binding as a node of the graph.
    pub(super) fn node(&self, port: &'static str) -> Node {
        match &self.supply {
            Supply::Adapter { node, .. } => Node {
                name: self.name,
                ..node()
            },
            Supply::Value(_) => Node {
                id: std::any::TypeId::of::<()>(),
                name: port,
                lifetime: Some(Lifetime::Application),
                needs: Vec::new(),
                problems: Vec::new(),
            },
        }
    }

    /// Returns the value as the bound `Arc<T>`.
    pub(super) async fn supply(&self, cx: &Context) -> Result<Erased, Refusal> {
        match &self.supply {
            Supply::Adapter { make, .. } => make(cx).await,
            Supply::Value(value) => Ok(value()),
        }
    }
}
