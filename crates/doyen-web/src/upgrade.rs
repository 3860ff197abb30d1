//! Connections that leave HTTP: what happens on the socket after a 101.
//!
//! A handler puts an [`Upgrade`] into the extensions of its response. The task of the connection
//! then runs it, so that the limits of connections, the drain and its deadline still apply. Only
//! HTTP/1.1 connections can be taken over: [`Parts::can_upgrade`](crate::Parts::can_upgrade).

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use doyen_core::inject::BoxFuture;
use doyen_core::sync::lock;

use crate::server::Transport;

type Work = Box<dyn FnOnce(Upgraded) -> BoxFuture<'static, ()> + Send>;

/// The work that takes over a connection after the response, as an extension of a 101.
#[derive(Clone)]
pub struct Upgrade(Arc<Mutex<Option<Work>>>);

impl std::fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upgrade").finish_non_exhaustive()
    }
}

impl Upgrade {
    /// Creates the work. It is dropped without a call if the response is not sent, and at the
    /// deadline of the drain wherever it waits.
    pub fn new(work: impl FnOnce(Upgraded) -> BoxFuture<'static, ()> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(work)))))
    }

    pub(crate) fn take(&self) -> Option<Work> {
        lock(&self.0).take()
    }
}

/// A connection that was taken over.
#[derive(Debug)]
pub struct Upgraded {
    /// The bytes in both directions.
    pub stream: Transport,
    /// Bytes that were read after the request.
    pub read: Bytes,
}

/// Marks a request on a connection that can be taken over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CanUpgrade;
