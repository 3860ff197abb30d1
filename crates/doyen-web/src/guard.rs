//! Guards: extractors that run before those of the handler, for what they check.

use std::marker::PhantomData;
use std::sync::Arc;

use doyen_core::Refusal;
use doyen_core::inject::{BoxFuture, Needs, Node};
use doyen_schema::contract::Contract;

use crate::Response;
use crate::extract::FromRequestParts;
use crate::handler::{Endpoint, no_failure};
use crate::request::Request;

/// An extractor without its type.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) describe: fn(&mut Contract<'_>),
    pub(crate) needs: fn(&mut Needs),
    wrap: fn(Arc<dyn Endpoint>) -> Arc<dyn Endpoint>,
}

impl Guard {
    pub(crate) fn of<G: FromRequestParts + 'static>() -> Self {
        Self {
            describe: G::describe,
            needs: |needs| needs.0.push(node_of::<G>),
            wrap: |inner| Arc::new(Guarded::<G>(inner, PhantomData)),
        }
    }
}

/// Returns the node of a guard, which a test can replace.
fn node_of<G: FromRequestParts + 'static>() -> Node {
    let mut needs = Needs::default();
    G::needs(&mut needs);
    let node = Node::extractor::<G>(Needs::default());
    // A guard that `#[extractor]` makes has a node already.
    let own = needs
        .0
        .iter()
        .map(|need| need())
        .find(|own| own.id == node.id);
    own.unwrap_or_else(|| Node::extractor::<G>(needs))
}

/// Puts guards before a handler. The first one runs first.
pub(crate) fn guarded<'a>(
    guards: impl DoubleEndedIterator<Item = &'a Guard>,
    endpoint: Arc<dyn Endpoint>,
) -> Arc<dyn Endpoint> {
    guards
        .rev()
        .fold(endpoint, |inner, guard| (guard.wrap)(inner))
}

struct Guarded<G>(Arc<dyn Endpoint>, PhantomData<fn() -> G>);

impl<G: FromRequestParts + 'static> Endpoint for Guarded<G> {
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        Box::pin(async move {
            let replaced = request.parts.context.container().extracted::<G>();
            let value = match replaced {
                Some(value) => Some(value),
                None => G::from_request_parts(request).await?,
            };
            // The handler reports all failures together, and is not called.
            if value.is_none() && request.failures.is_empty() {
                return Err(no_failure::<G>());
            }
            self.0.call(request).await
        })
    }
}
