//! The injectable entry to live events.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use doyen_core::Refusal;
use doyen_core::inject::{Context, Inject, Node};

use crate::feed::stream_event;
use crate::hub::Hub;
use crate::{Events, Feed, Topic};

/// Subscribes to topics whose events a [`Feed`] shows. A parameter of handlers: `Live<TicketFeed>`.
pub struct Live<F> {
    pub(crate) hub: Arc<Hub>,
    feed: PhantomData<fn() -> F>,
}

impl<F> Clone for Live<F> {
    fn clone(&self) -> Self {
        Self {
            hub: Arc::clone(&self.hub),
            feed: PhantomData,
        }
    }
}

impl<F> fmt::Debug for Live<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl<F: Feed> Live<F> {
    /// Streams the events of a topic. Check first that the caller may read them.
    pub fn events(&self, topic: Topic) -> Events<F::Item> {
        Events::new(Arc::clone(&self.hub), topic, stream_event::<F>)
    }
}

impl<F: Feed> Inject for Live<F> {
    fn node() -> Node {
        Node::of::<Self>(vec![<Arc<Hub> as Inject>::node, F::node])
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        Ok(Self {
            hub: cx.get::<Arc<Hub>>().await?,
            feed: PhantomData,
        })
    }
}
