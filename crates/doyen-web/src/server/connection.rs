//! One connection: detects the protocol, then serves requests until the end.

mod event_stream;
mod events;
mod http1;
mod upgraded;
mod watch;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::server::conn;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::time::error::Elapsed;

use super::activity::Activity;
use super::flow::Flow;
#[cfg(feature = "tls")]
use super::handshake;
use super::requests::Requests;
use super::shutdown::{Shutdown, Stage};
use super::socket::ClientSocket;
use super::transport::Transport;
use super::{ConnectionInfo, ServerOptions};
use crate::budget::Account;
use crate::service::Service;
use events::Events;
use http1::Http1;
use watch::Watch;
pub(super) use watch::{CLOSE_TIMEOUT, LAST_REQUEST_TIME};

/// Bytes of request bodies that a connection may send ahead of their handlers. Multiplied by the
/// maximum of concurrent requests, this is what slow handlers can make the server hold.
const CONNECTION_WINDOW_BYTES: u32 = 256 << 10;
const STREAM_WINDOW_BYTES: u32 = 128 << 10;

const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a connection until it ends.
pub(super) async fn serve(
    stream: Transport,
    peer: Option<SocketAddr>,
    service: Service,
    options: ServerOptions,
    shutdown: Shutdown,
    account: Arc<Account>,
) {
    let is_unix = stream.is_unix();
    #[cfg(not(feature = "tls"))]
    let transport = stream;
    #[cfg(feature = "tls")]
    let (transport, is_rejected) = match &options.tls {
        None => (stream, false),
        // Boxed, so that a connection does not keep the memory of its handshake.
        Some(tls) => {
            let accepted = handshake::accept(stream, tls, &shutdown, &account, &options);
            match Box::pin(accepted).await {
                None => return,
                Some(accepted) => accepted,
            }
        }
    };
    let chosen = transport.is_http2();
    let connection = ConnectionInfo {
        peer,
        is_unix,
        is_tls: chosen.is_some(),
    };
    let activity = Activity::new();
    let flow = Arc::new(Flow::new());
    let mut socket = ClientSocket::new(
        transport,
        Arc::clone(&flow),
        Arc::clone(&account),
        options.header_limit,
    );
    #[cfg(feature = "tls")]
    if is_rejected {
        socket.reject_plain();
    }
    let Some(detected) = detect(&mut socket, &flow, &shutdown, options.header_timeout).await else {
        return;
    };
    let is_http2 = match detected {
        // Over TLS the client has chosen the protocol before (RFC 9113 section 3.2).
        Ok(Ok(is_http2)) if chosen.is_some_and(|chosen| chosen != is_http2) => {
            return end(socket, connection).await;
        }
        Ok(Ok(is_http2)) => is_http2,
        Ok(Err(_)) => return end(socket, connection).await,
        // A client that has sent nothing would not read a response either.
        Err(_) if socket.is_untouched() => return end(socket, connection).await,
        Err(_) => {
            socket.reject_late_head();
            false
        }
    };
    let events = Events {
        watch: Watch {
            shutdown,
            activity: activity.clone(),
            flow: Arc::clone(&flow),
            header_timeout: options.header_timeout,
            idle_timeout: options.idle_timeout,
            is_http2,
        },
        account: Arc::clone(&account),
        peer,
    };
    let requests = Arc::new(Requests {
        service,
        connection,
        activity,
        flow,
        account,
        upgrade: Mutex::default(),
        event_stream: Mutex::default(),
        has_event_stream: AtomicBool::new(false),
    });
    let io = TokioIo::new(socket);
    if is_http2 {
        let respond = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let stream = requests.open(request.headers());
            // Boxed, so that a response that waits for its client does not keep the memory of the
            // whole handler.
            Box::pin(Arc::clone(&requests).http2(stream, request))
        });
        let connection = conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(options.max_streams)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .max_header_list_size(u32::try_from(options.header_limit).unwrap_or(u32::MAX))
            .keep_alive_interval(HTTP2_PING_INTERVAL)
            .keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .serve_connection(io, respond);
        Box::pin(events.drive(connection)).await;
    } else {
        let served = Arc::clone(&requests);
        let respond = service_fn(move |request| Arc::clone(&served).http1(request));
        let connection = conn::http1::Builder::new()
            .timer(TokioTimer::new())
            // The parser would reset its timer for each request. `watch` covers the whole
            // connection with one timer.
            .header_read_timeout(None)
            // Never reached: a head that is too long is rejected before the parser.
            .max_buf_size(options.header_limit.max(64 << 10))
            .serve_connection(io, respond)
            .with_upgrades();
        let shutdown = events.watch.shutdown.clone();
        let connection = Http1::new(connection, Arc::clone(&requests));
        // Boxed, so that a connection that was taken over does not keep its memory.
        Box::pin(events.drive(connection)).await;
        if let Some(upgrade) = requests.take_upgrade() {
            Box::pin(upgraded::serve(upgrade, &requests.account, &shutdown)).await;
        }
    }
}

/// Ends a connection without a request. Over TLS the client gets `close_notify`: without it, the
/// end could be that of an attacker.
async fn end(mut socket: ClientSocket, connection: ConnectionInfo) {
    if connection.is_tls {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, socket.shutdown()).await;
    }
}

/// Waits until the protocol of a connection is known: true for HTTP/2. Returns `None` if the server
/// shuts down first.
async fn detect(
    socket: &mut ClientSocket,
    flow: &Flow,
    shutdown: &Shutdown,
    timeout: Duration,
) -> Option<Result<io::Result<bool>, Elapsed>> {
    let leave = async {
        shutdown.reached(Stage::Finish).await;
        tokio::time::sleep(LAST_REQUEST_TIME).await;
    };
    tokio::select! {
        biased;
        detected = tokio::time::timeout(timeout, poll_fn(|cx| socket.poll_is_http2(cx))) => {
            return Some(detected);
        }
        () = leave => flow.leave(),
        () = shutdown.reached(Stage::Cut) => return None,
    }
    let protocol = tokio::time::timeout(CLOSE_TIMEOUT, poll_fn(|cx| socket.poll_is_http2(cx)));
    tokio::select! {
        biased;
        detected = protocol => Some(detected),
        () = shutdown.reached(Stage::Cut) => None,
    }
}
