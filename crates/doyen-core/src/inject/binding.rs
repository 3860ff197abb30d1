//! What supplies a port: an adapter, or a value.

use std::any::{Any, type_name};
use std::sync::Arc;

use super::{BoxFuture, Context, Inject, Lifetime, Node, Port};
use crate::Refusal;

/// Boxed value of the type `Arc<T>` that a binding is for.
pub(super) type Erased = Box<dyn Any + Send + Sync>;

/// What supplies one port or value.
#[derive(Clone)]
pub struct Binding {
    supply: Supply,
    name: &'static str,
}

#[derive(Clone)]
enum Supply {
    /// Made from an adapter that is injected itself.
    Adapter {
        node: fn() -> Node,
        make: for<'a> fn(&'a Context) -> BoxFuture<'a, Result<Erased, Refusal>>,
    },
    /// Exists already.
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
    /// A port, supplied by an adapter.
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

    /// A value that exists already.
    pub fn value<T: ?Sized + Send + Sync + 'static>(value: Arc<T>) -> Self {
        Self {
            supply: Supply::Value(Arc::new(move || Box::new(Arc::clone(&value)))),
            name: type_name::<T>(),
        }
    }

    /// The binding as a node of the graph.
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

    /// The value, as the `Arc<T>` it was bound for.
    pub(super) async fn supply(&self, cx: &Context) -> Result<Erased, Refusal> {
        match &self.supply {
            Supply::Adapter { make, .. } => make(cx).await,
            Supply::Value(value) => Ok(value()),
        }
    }
}
