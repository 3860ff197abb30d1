//! Reacts to what happens to a connection other than requests.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::http2;

use super::watch::{Event, Watch};
use crate::body::BoxError;
use crate::budget::Account;
use crate::server::flow::Flow;

/// A connection of either protocol.
pub(super) trait Connection: Future<Output = Result<(), Self::Error>> {
    type Error: fmt::Display;

    /// Closes the connection. What the client has sent gets its responses, and so does over HTTP/2
    /// what it sends until it knows. The connection must be polled afterwards.
    fn leave(self: Pin<&mut Self>, flow: &Flow);
}

impl<I, B, S, E> Connection for http2::Connection<I, S, E>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<BoxError>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    type Error = hyper::Error;

    fn leave(self: Pin<&mut Self>, _: &Flow) {
        self.graceful_shutdown();
    }
}

/// Reacts to what happens to a connection other than requests.
pub(super) struct Events {
    pub(super) watch: Watch,
    pub(super) account: Arc<Account>,
    pub(super) peer: Option<SocketAddr>,
}

impl Events {
    /// Drives a connection to its end.
    pub(super) async fn drive(self, connection: impl Connection) {
        tokio::pin!(connection);
        let Self {
            watch,
            account,
            peer,
        } = self;
        // Polled only when one of them is woken, so that they cost nothing per request.
        let mut events: FuturesUnordered<Next> = FuturesUnordered::new();
        events.push(Box::pin(watch.clone().open()));
        events.push(Box::pin(async move {
            account.closed().await;
            Event::Cut
        }));
        loop {
            let event = tokio::select! {
                biased;
                done = connection.as_mut() => {
                    if let Err(error) = done {
                        tracing::debug!(?peer, %error, "connection ended");
                    }
                    return;
                }
                event = events.select_next_some() => event,
            };
            match event {
                Event::Draining => {
                    events.push(Box::pin(watch.clone().draining()));
                    continue;
                }
                Event::Cut => {
                    if watch.shutdown.is_cut() && watch.has_work() {
                        watch.shutdown.count_cut();
                    }
                    return;
                }
                // Over HTTP/1.1 it would be taken for a client that disconnects.
                Event::Overdue if watch.has_unread() && !watch.is_http2 => watch.flow.close(),
                // The client gets a 408, so that it can try again.
                Event::Overdue if watch.flow.is_midway() && !watch.is_http2 => watch.flow.expire(),
                Event::Overdue | Event::Quiet => connection.as_mut().leave(&watch.flow),
            }
            events.push(Box::pin(watch.clone().closing()));
        }
    }
}

type Next = Pin<Box<dyn Future<Output = Event> + Send>>;
