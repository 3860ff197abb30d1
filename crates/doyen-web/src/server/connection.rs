//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::ServerOptions;
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
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let service = service.clone();
        async move {
            let request = request.map(|body| {
                if http_body::Body::is_end_stream(&body) {
                    Body::empty()
                } else {
                    Body::stream(body)
                }
            });
            Ok::<_, Infallible>(service.handle(request, Some(peer)).await)
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
            () = closing.reached(Stage::Cut) => return,
        }
    }
}

/// There is no room: say so and close, so that the client does not wait for nothing.
pub(super) async fn turn_away(mut stream: TcpStream) {
    const BODY: &str = r#"{"type":"/problems/overloaded","title":"Overloaded","status":503,"detail":"the server has as many connections as it can take","code":"overloaded"}"#;
    let text = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let write = async {
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await
    };
    if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), write).await {
        tracing::debug!(%error, "turned away, unheard");
    }
}
