//! One connection.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::RequestId;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::{HeaderValue, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::activity::Activity;
use super::budget::{Account, Charge};
use super::flow::Flow;
use super::sending;
use super::wire::Wire;
use super::{Refused, ServerOptions, strict};
use crate::service::Service;
use crate::{Body, Response};

/// How long a client that was told good-bye, and has read everything, may take to close.
const GOOD_BYE: Duration = Duration::from_secs(1);

/// Fewer bytes than this are no progress of an answer over HTTP/2: they may be answers to pings.
const PINGS: u64 = 4 << 10;

/// What an HTTP/2 request costs in memory until its response is there, besides its header fields
/// and its body: the state of its stream and of its handler.
const REQUEST_BYTES: usize = 8 << 10;

/// What remains of it until the response is sent: the state of the stream and the response's header
/// fields.
const RESPONSE_BYTES: usize = 3 << 10;

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
    // The builder waits for the first bytes without a limit of its own, to tell HTTP/2 from HTTP/1.1.
    let first = tokio::select! {
        first = tokio::time::timeout(options.header_timeout, stream.readable()) => first,
        () = closing.reached(Stage::Finish) => return,
    };
    if !matches!(first, Ok(Ok(()))) {
        return;
    }
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Its own timer for headers would be set anew for each request; `watch` does the same for a whole connection.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        // Never met: a head that is too long does not come as far.
        .max_buf_size(options.header_limit.max(64 << 10))
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.max_streams)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .max_header_list_size(u32::try_from(options.header_limit).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    let activity = Activity::new();
    let flow = Arc::<Flow>::default();
    let (asked, wire) = (activity.clone(), Arc::clone(&flow));
    let held = Arc::clone(&account);
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let service = service.clone();
        let busy = asked.begin();
        let wire = Arc::clone(&wire);
        let account = Arc::clone(&held);
        // Charged before its task is made, since a connection can have many that wait for a core.
        let stream = (request.version() > Version::HTTP_11).then(|| {
            let fields = field_bytes(request.headers());
            Stream {
                charge: account.charge(REQUEST_BYTES + fields),
                transient: REQUEST_BYTES - RESPONSE_BYTES + fields,
            }
        });
        // On the heap, so that a response which waits for its client does not keep the space of the
        // whole handler.
        Box::pin(async move {
            if stream.is_some() && account.is_closing() {
                return Err(Disconnected);
            }
            let mut request = request.map(|body| {
                if http_body::Body::is_end_stream(&body) {
                    Body::empty()
                } else {
                    Body::stream(body)
                }
            });
            let refused = match &stream {
                None => wire.ask(),
                Some(_) if account.is_full() => Some(Refused::Unread),
                Some(_) => strict::check(request.uri(), request.headers()),
            };
            if let Some(refused) = refused {
                request.extensions_mut().insert(refused);
            }
            let mut response = service.serve(request, peer, account).await;
            if stream.is_none() && (refused.is_some() || wire.is_closing()) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            let charge = stream.map(Stream::responded);
            let (head, body) = response.into_parts();
            let body = sending::watched(body, &busy, &wire, charge).ok_or(Disconnected)?;
            Ok(Response::from_parts(head, body))
        })
    });
    let wire = Wire::new(
        stream,
        Arc::clone(&flow),
        Arc::clone(&account),
        options.header_limit,
    );
    let connection = builder.serve_connection(TokioIo::new(wire), answer);
    tokio::pin!(connection);
    // Polled only when one of them was woken itself, so that it costs a request nothing.
    let mut events = FuturesUnordered::new();
    events.push(watch(
        closing.clone(),
        activity.clone(),
        options.header_timeout,
    ));
    let closed = Arc::clone(&account);
    events.push(Box::pin(async move {
        closed.closed().await;
        Event::Cut
    }));
    loop {
        let event = tokio::select! {
            biased;
            done = connection.as_mut() => {
                if let Err(error) = done {
                    tracing::debug!(%peer, %error, "connection ended");
                }
                return;
            }
            event = events.select_next_some() => event,
        };
        match event {
            // A head that is on its way may still arrive: its answer is the last.
            Event::Finish if flow.is_midway() => flow.close(),
            Event::Finish => connection.as_mut().graceful_shutdown(),
            // Told so: what is missing may be on its way, and the client is to try again.
            Event::Idle if flow.is_midway() => flow.expire(),
            // Who never asked anything would not answer a good-bye either.
            Event::Idle if activity.is_untouched() => return,
            Event::Idle => connection.as_mut().graceful_shutdown(),
            Event::Cut => return,
        }
        let patience = options.header_timeout;
        events.push(last_word(
            closing.clone(),
            activity.clone(),
            Arc::clone(&flow),
            patience,
        ));
    }
}

/// An HTTP/2 request that is worked on.
struct Stream {
    charge: Charge,
    /// What is released once its response is there.
    transient: usize,
}

impl Stream {
    fn responded(mut self) -> Charge {
        self.charge.remove(self.transient);
        self.charge.into_response()
    }
}

/// The connection is closing because its client holds too much: the stream is reset, so that the
/// client does not take it for a response.
#[derive(Debug)]
struct Disconnected;

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closing")
    }
}

impl std::error::Error for Disconnected {}

/// Bytes of names and values.
fn field_bytes(headers: &http::HeaderMap) -> usize {
    let field =
        |(name, value): (&http::HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    headers.iter().map(field).sum()
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
        crate::trip::header_lines()
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
