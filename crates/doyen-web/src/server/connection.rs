//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use doyen_core::RequestId;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::activity::{Activity, Busy};
use super::{ServerOptions, strict};
use crate::Body;
use crate::service::Service;

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
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(64 * 1024)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.max_streams)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    let activity = Activity::new();
    let asked = activity.clone();
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let service = service.clone();
        let busy = asked.begin();
        async move {
            let mut request = request.map(|body| {
                if http_body::Body::is_end_stream(&body) {
                    Body::empty()
                } else {
                    Body::stream(body)
                }
            });
            if let Some(malformed) = strict::check(request.version(), request.headers()) {
                request.extensions_mut().insert(malformed);
            }
            let response = service.handle(request, Some(peer)).await;
            Ok::<_, Infallible>(response.map(|body| until_sent(body, busy)))
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    let mut finishing = false;
    loop {
        tokio::select! {
            done = connection.as_mut() => {
                if let Err(error) = done {
                    tracing::debug!(%peer, %error, "connection ended");
                }
                return;
            }
            () = closing.reached(Stage::Finish), if !finishing => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = activity.idle(options.header_timeout), if !finishing => {
                // Who never asked anything would not answer a good-bye either.
                if activity.is_untouched() {
                    return;
                }
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = closing.reached(Stage::Cut) => return,
        }
    }
}

/// A body that is produced while it is sent keeps its connection busy until it ends.
fn until_sent(body: Body, busy: Busy) -> Body {
    if body.as_whole().is_some() || body.is_empty() {
        return body;
    }
    Body::stream(body.map_frame(move |frame| {
        let _ = &busy;
        frame
    }))
}

/// There is no room: say so and close, so that the client does not wait for nothing.
pub(super) async fn turn_away(mut stream: TcpStream) {
    let id = RequestId::new();
    let body = format!(
        r#"{{"type":"/problems/overloaded","title":"Overloaded","status":503,"detail":"the server has as many connections as it can take","instance":"","code":"overloaded","request_id":"{id}"}}"#
    );
    let text = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nx-request-id: {id}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
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
