//! The framing of gRPC: one message in a request, one in its response, the status in the trailers.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use reqwest::Response;

use crate::collector::{MAX_RESPONSE_BYTES, SendError, refused, transport};
use crate::counters::Signal;

/// Length of the prefix of a message: a flag, and the length of the message.
const PREFIX_BYTES: usize = 5;

/// The path of the method that receives a signal.
pub(crate) const fn path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

/// Frames a message, without compression.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// Reads the message of a response.
pub(crate) async fn message(response: Response) -> Result<BytesMut, SendError> {
    if response.status() != StatusCode::OK {
        return Err(refused(&response));
    }
    let (head, mut body) = http::Response::<reqwest::Body>::from(response).into_parts();
    // A response without a message has its status here.
    let mut status = status(&head.headers);
    let mut data = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(transport)?;
        if let Some(trailers) = frame.trailers_ref() {
            status = status.or(self::status(trailers));
        } else if let Ok(part) = frame.into_data() {
            if data.len() + part.len() > MAX_RESPONSE_BYTES {
                return Err(SendError::new("its response is too large", false));
            }
            data.extend_from_slice(&part);
        }
    }
    match status {
        Some(0) if data.len() >= PREFIX_BYTES => Ok(data.split_off(PREFIX_BYTES)),
        Some(0) => Ok(BytesMut::new()),
        None => Err(SendError::new("its response has no status of gRPC", false)),
        Some(code) => {
            // The codes that the specification of OTLP calls retryable.
            let is_transient = matches!(code, 1 | 4 | 10 | 11 | 14 | 15);
            let reason = format!("status {code} of gRPC");
            Err(SendError::new(reason, is_transient))
        }
    }
}

fn status(headers: &HeaderMap) -> Option<u32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}
