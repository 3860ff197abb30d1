//! Traces over gRPC, received by an HTTP/2 server.

use std::sync::{Arc, Mutex};

use doyen_test::Setup;
use h2::server::SendResponse;
use h2::{RecvStream, server};
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use tokio::net::TcpListener;

use crate::app::Shop;

/// The requests, with their bodies.
type Kept = Arc<Mutex<Vec<(Request<()>, Vec<u8>)>>>;

/// A collector that answers with these statuses of gRPC, the last one again and again.
struct GrpcCollector {
    port: u16,
    received: Kept,
}

impl GrpcCollector {
    async fn start(statuses: &'static [&'static str], rejected: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Kept::default();
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let mut connection = server::handshake(socket).await.unwrap();
                    while let Some(Ok((request, reply))) = connection.accept().await {
                        let kept = Arc::clone(&kept);
                        tokio::spawn(answer(request, reply, kept, statuses, rejected));
                    }
                });
            }
        });
        Self { port, received }
    }

    fn setup(&self) -> Setup {
        Setup::new()
            .set("otlp.endpoint", &format!("http://127.0.0.1:{}", self.port))
            .set("otlp.protocol", "grpc")
            .set("otlp.headers", "api-key=x")
            .set("otlp.interval", "20ms")
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut reply: SendResponse<bytes::Bytes>,
    kept: Kept,
    statuses: &[&'static str],
    rejected: i64,
) {
    let (head, mut body) = request.into_parts();
    let mut data = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        data.extend_from_slice(&part);
        body.flow_control().release_capacity(part.len()).unwrap();
    }
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push((Request::from_parts(head, ()), data));
        kept.len() - 1
    };
    let status = statuses.get(number).or(statuses.last()).unwrap();
    let response = Response::builder().header("content-type", "application/grpc");
    let mut stream = reply
        .send_response(response.body(()).unwrap(), false)
        .unwrap();
    if *status == "0" {
        let message = ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: rejected,
                error_message: String::new(),
            }),
        };
        let message = message.encode_to_vec();
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(&message);
        stream.send_data(framed.into(), false).unwrap();
    }
    let mut trailers = HeaderMap::new();
    if !status.is_empty() {
        trailers.insert("grpc-status", HeaderValue::from_static(status));
    }
    stream.send_trailers(trailers).unwrap();
}

#[doyen_test::test(sqlite)]
async fn spans_are_sent_over_grpc(shop: Shop) {
    // Unavailable at first: the batch is sent again.
    let collector = GrpcCollector::start(&["14", "0"], 1).await;
    let shop = shop.with(collector.setup()).await;
    shop.get("/quick").send().await.expect(204);
    shop.until_dropped("traces", "rejected", 1).await;
    // The span of the request, and that of its handler.
    assert_eq!(
        shop.metric("otlp_exported_total{signal=\"traces\"}").await,
        1
    );

    let received = collector.received.lock().unwrap();
    assert_eq!(received.len(), 2);
    let (head, body) = &received[1];
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    assert_eq!(head.uri().path(), path);
    assert_eq!(head.headers()["content-type"], "application/grpc");
    assert_eq!(head.headers()["te"], "trailers");
    assert_eq!(head.headers()["api-key"], "x");
    assert_eq!(body[0], 0);
    assert_eq!(
        body[1..5],
        u32::try_from(body.len() - 5).unwrap().to_be_bytes()
    );
    let message = ExportTraceServiceRequest::decode(&body[5..]).unwrap();
    let spans = &message.resource_spans[0].scope_spans[0].spans;
    assert!(spans.iter().any(|span| span.name == "GET /quick"));
}

#[doyen_test::test(sqlite)]
async fn a_refusal_and_a_missing_status_are_losses(shop: Shop) {
    for statuses in [&["7"][..], &[""]] {
        let collector = GrpcCollector::start(statuses, 0).await;
        let shop = shop.with(collector.setup()).await;
        shop.get("/quick").send().await.expect(204);
        shop.until_dropped("traces", "failed", 2).await;
        assert_eq!(collector.received.lock().unwrap().len(), 1);
    }
}
