//! What happens to a connection other than requests: shutdown, idleness, disconnection.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::{http1, http2};

use crate::body::BoxError;
use crate::budget::Account;
use crate::server::activity::Activity;
use crate::server::flow::Flow;
use crate::server::shutdown::{Shutdown, Stage};

/// How long a client that has read everything may take to close after the close message.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Minimum bytes that count as progress of a response over HTTP/2. Fewer may be replies to pings.
const MIN_HTTP2_PROGRESS_BYTES: u64 = 4 << 10;

/// A connection of either protocol.
pub(super) trait Connection: Future<Output = hyper::Result<()>> {
    /// Finishes the current requests and accepts no more.
    fn finish(self: Pin<&mut Self>);
}

impl<I, B, S> Connection for http1::Connection<I, S>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<BoxError>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
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
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Reacts to what happens to a connection other than requests.
pub(super) struct Events {
    pub(super) shutdown: Shutdown,
    pub(super) activity: Activity,
    pub(super) flow: Arc<Flow>,
    pub(super) account: Arc<Account>,
    pub(super) idle_timeout: Duration,
    pub(super) peer: SocketAddr,
}

impl Events {
    /// Drives a connection to its end.
    pub(super) async fn drive(self, connection: impl Connection) {
        tokio::pin!(connection);
        // Polled only when one of them is woken, so that they cost nothing per request.
        let mut events = FuturesUnordered::new();
        events.push(watch(
            self.shutdown.clone(),
            self.activity.clone(),
            self.idle_timeout,
        ));
        events.push(disconnected(Arc::clone(&self.account)));
        loop {
            let event = tokio::select! {
                biased;
                done = connection.as_mut() => {
                    if let Err(error) = done {
                        tracing::debug!(peer = %self.peer, %error, "connection ended");
                    }
                    return;
                }
                event = events.select_next_some() => event,
            };
            match event {
                // The rest of an incomplete head may still arrive. Its response is the last.
                Event::Finish if self.flow.is_midway() => self.flow.close(),
                Event::Finish => connection.as_mut().finish(),
                // The client gets a 408, so that it can try again.
                Event::Idle if self.flow.is_midway() => self.flow.expire(),
                // A client that has sent no request would not read a close message either.
                Event::Idle if self.activity.is_untouched() => return,
                Event::Idle => connection.as_mut().finish(),
                Event::Cut => return,
            }
            events.push(last_chance(
                self.shutdown.clone(),
                self.activity.clone(),
                Arc::clone(&self.flow),
                self.idle_timeout,
            ));
        }
    }
}

/// What happens to a connection other than requests.
enum Event {
    /// The server shuts down. Current requests may finish.
    Finish,
    /// No request head was completed within the timeout.
    Idle,
    /// The connection is closed at once.
    Cut,
}

type Watch = Pin<Box<dyn Future<Output = Event> + Send>>;

/// Completes when the server shuts down or the connection is idle.
fn watch(shutdown: Shutdown, activity: Activity, idle_timeout: Duration) -> Watch {
    Box::pin(async move {
        tokio::select! {
            () = shutdown.reached(Stage::Finish) => Event::Finish,
            () = activity.idle(idle_timeout) => Event::Idle,
        }
    })
}

/// Completes when the client is disconnected because it holds too much memory.
fn disconnected(account: Arc<Account>) -> Watch {
    Box::pin(async move {
        account.closed().await;
        Event::Cut
    })
}

/// After the close message: completes at the end of the drain, or when the client neither sends nor
/// reads any more.
fn last_chance(
    shutdown: Shutdown,
    activity: Activity,
    flow: Arc<Flow>,
    idle_timeout: Duration,
) -> Watch {
    let stalled = async move {
        let has_unread = || flow.is_stalled() || activity.is_handing_over();
        loop {
            let (had_unread, before) = (has_unread(), flow.written());
            let timeout = if had_unread {
                idle_timeout
            } else {
                CLOSE_TIMEOUT
            };
            activity.idle(timeout).await;
            if has_unread() {
                // A slow reader is kept, one that only sends pings is not.
                let min_progress = if flow.is_stalled() {
                    1
                } else {
                    MIN_HTTP2_PROGRESS_BYTES
                };
                if !had_unread || flow.written() - before >= min_progress {
                    continue;
                }
            }
            return;
        }
    };
    Box::pin(async move {
        tokio::select! {
            () = shutdown.reached(Stage::Cut) => {}
            () = stalled => {}
        }
        Event::Cut
    })
}
