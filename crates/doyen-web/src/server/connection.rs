//! One connection.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::RequestId;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::ServerOptions;
use super::activity::Activity;
use super::flow::Flow;
use super::requests::Requests;
use super::socket::ClientSocket;
use crate::budget::Account;
use crate::service::Service;

/// How long a client that was told good-bye, and has read everything, may take to close.
const GOOD_BYE: Duration = Duration::from_secs(1);

/// Fewer bytes than this are no progress of an answer over HTTP/2: they may be answers to pings.
const PINGS: u64 = 4 << 10;

/// Bytes of request bodies that a connection may send ahead of their handlers. Times the maximum
/// of concurrent requests this is what handlers that are slow can make the server hold.
const CONNECTION_WINDOW: u32 = 256 << 10;
const STREAM_WINDOW: u32 = 128 << 10;

/// Tells every connection how far the drain is.
#[derive(Clone, Debug)]
pub(super) struct Closing {
    stage: watch::Sender<Stage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    Finish,
    Cut,
}

impl Closing {
    pub(super) fn new() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Open),
        }
    }

    pub(super) fn begin(&self) {
        self.stage.send_replace(Stage::Finish);
    }

    pub(super) fn cut(&self) {
        self.stage.send_replace(Stage::Cut);
    }

    async fn reached(&self, stage: Stage) {
        let mut seen = self.stage.subscribe();
        // The sender is `self`: it can not be gone.
        let _ = seen.wait_for(|now| *now >= stage).await;
    }
}

pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    service: Service,
    options: ServerOptions,
    closing: Closing,
    account: Arc<Account>,
) {
    let activity = Activity::new();
    let flow = Arc::<Flow>::default();
    let mut socket = ClientSocket::new(
        stream,
        Arc::clone(&flow),
        Arc::clone(&account),
        options.header_limit,
    );
    let protocol = poll_fn(|cx| socket.poll_is_http2(cx));
    let known = tokio::select! {
        known = tokio::time::timeout(options.header_timeout, protocol) => known,
        () = closing.reached(Stage::Finish) => return,
    };
    let is_http2 = match known {
        Ok(Ok(is_http2)) => is_http2,
        Ok(Err(_)) => return,
        // A client that never asked anything would not read a response either.
        Err(_) if socket.is_untouched() => return,
        Err(_) => {
            socket.reject_late_head();
            false
        }
    };
    let events = Events {
        closing,
        activity: activity.clone(),
        flow: Arc::clone(&flow),
        account: Arc::clone(&account),
        patience: options.header_timeout,
        peer,
    };
    let requests = Arc::new(Requests {
        service,
        peer,
        activity,
        flow,
        account,
    });
    let io = TokioIo::new(socket);
    if is_http2 {
        let respond = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let stream = requests.open(request.headers());
            // On the heap, so that a response which waits for its client does not keep the space of
            // the whole handler.
            Box::pin(Arc::clone(&requests).http2(stream, request))
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(options.max_streams)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_stream_window_size(STREAM_WINDOW)
            .max_header_list_size(u32::try_from(options.header_limit).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .serve_connection(io, respond);
        events.drive(connection).await;
    } else {
        let respond = service_fn(move |request| Arc::clone(&requests).http1(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // The timer of the parser would be set anew for each request; `watch` does the same for
            // a whole connection.
            .header_read_timeout(None)
            // Never reached: a head that is too long does not get to the parser.
            .max_buf_size(options.header_limit.max(64 << 10))
            .serve_connection(io, respond);
        events.drive(connection).await;
    }
}

/// A connection of either protocol.
trait Connection: Future<Output = hyper::Result<()>> {
    /// Finishes the requests that it has, and no more.
    fn finish(self: Pin<&mut Self>);
}

impl<I, B, S> Connection for http1::Connection<I, S>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<crate::body::BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<crate::body::BoxError>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, B, S, E> Connection for http2::Connection<I, S, E>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<crate::body::BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<crate::body::BoxError>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// What happens to a connection besides requests, and what is done about it.
struct Events {
    closing: Closing,
    activity: Activity,
    flow: Arc<Flow>,
    account: Arc<Account>,
    patience: Duration,
    peer: SocketAddr,
}

impl Events {
    /// Drives a connection to its end.
    async fn drive(self, connection: impl Connection) {
        tokio::pin!(connection);
        // Polled only when one of them was woken itself, so that it costs a request nothing.
        let mut events = FuturesUnordered::new();
        events.push(watch(
            self.closing.clone(),
            self.activity.clone(),
            self.patience,
        ));
        events.push(closed(Arc::clone(&self.account)));
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
                // A head that is on its way may still arrive: its answer is the last.
                Event::Finish if self.flow.is_midway() => self.flow.close(),
                Event::Finish => connection.as_mut().finish(),
                // Told so: what is missing may be on its way, and the client is to try again.
                Event::Idle if self.flow.is_midway() => self.flow.expire(),
                // A client that never asked anything would not read a good-bye either.
                Event::Idle if self.activity.is_untouched() => return,
                Event::Idle => connection.as_mut().finish(),
                Event::Cut => return,
            }
            events.push(last_word(
                self.closing.clone(),
                self.activity.clone(),
                Arc::clone(&self.flow),
                self.patience,
            ));
        }
    }
}

/// What happens to a connection besides requests.
enum Event {
    /// The server is going away: what is being answered may finish.
    Finish,
    /// Nothing was asked, not to the end of a header, for as long as that may take.
    Idle,
    /// There is no more time.
    Cut,
}

type Watch = Pin<Box<dyn Future<Output = Event> + Send>>;

fn watch(closing: Closing, activity: Activity, rest: Duration) -> Watch {
    Box::pin(async move {
        tokio::select! {
            () = closing.reached(Stage::Finish) => Event::Finish,
            () = activity.idle(rest) => Event::Idle,
        }
    })
}

/// Its client holds the most of what the server holds.
fn closed(account: Arc<Account>) -> Watch {
    Box::pin(async move {
        account.closed().await;
        Event::Cut
    })
}

/// After a good-bye: the end of the drain, or of the patience with a client that neither asks nor reads.
fn last_word(closing: Closing, activity: Activity, flow: Arc<Flow>, patience: Duration) -> Watch {
    let nothing_moves = async move {
        let is_owed = || flow.is_stalled() || activity.is_handing_over();
        loop {
            let (owed, before) = (is_owed(), flow.written());
            activity.idle(if owed { patience } else { GOOD_BYE }).await;
            if is_owed() {
                // A reader that is slow is not gone; one that only pings is.
                let least = if flow.is_stalled() { 1 } else { PINGS };
                if !owed || flow.written() - before >= least {
                    continue;
                }
            }
            return;
        }
    };
    Box::pin(async move {
        tokio::select! {
            () = closing.reached(Stage::Cut) => {}
            () = nothing_moves => {}
        }
        Event::Cut
    })
}

/// There is no room: say so and close, so that the client does not wait for nothing.
pub(super) async fn turn_away(mut stream: TcpStream, security_headers: bool) {
    let id = RequestId::new();
    let body = format!(
        r#"{{"type":"/problems/overloaded","title":"Overloaded","status":503,"detail":"the server has as many connections as it can take","instance":"","code":"overloaded","request_id":"{id}"}}"#
    );
    let security = if security_headers {
        crate::pipeline::security_header_lines()
    } else {
        String::new()
    };
    let text = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\ncache-control: no-store\r\n\
         {security}x-request-id: {id}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let tell = async {
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with unread bytes resets the connection, and the client would lose the answer: read what it sent, and forget it.
        let mut forgotten = [0; 1024];
        while stream.read(&mut forgotten).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), tell).await {
        tracing::debug!(%error, "turned away, unheard");
    }
}
