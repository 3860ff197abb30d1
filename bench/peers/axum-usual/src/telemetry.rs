//! The log and the traces: one span for each request, one line when it is answered.

use std::fs::File;

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
};
use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter},
};
use tower_http::{
    LatencyUnit,
    classify::{ServerErrorsAsFailures, SharedClassifier},
    request_id::RequestId,
    trace::{DefaultOnResponse, TraceLayer},
};
use tracing::{Level, Span, info_span, level_filters::LevelFilter};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{fmt, layer::SubscriberExt, util::SubscriberInitExt};

const SAMPLED: f64 = 0.01;

/// Writes what is left when it is dropped.
pub struct Telemetry {
    _lines: WorkerGuard,
    _spans: SdkTracerProvider,
}

pub fn start() -> Result<Telemetry, Box<dyn std::error::Error>> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(settings::required("LOG"))?;
    // By default it would drop lines when the disk is slower than the requests.
    let (writer, lines) = NonBlockingBuilder::default().lossy(false).finish(file);
    let log = fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(writer);

    global::set_text_map_propagator(TraceContextPropagator::new());
    let spans = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            SAMPLED,
        ))))
        .with_batch_exporter(Nowhere)
        .build();
    let traces = tracing_opentelemetry::layer().with_tracer(spans.tracer("axum-usual"));

    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(log)
        .with(traces)
        .try_init()?;
    Ok(Telemetry {
        _lines: lines,
        _spans: spans,
    })
}

type MakeSpan = fn(&Request<Body>) -> Span;
type Trace = TraceLayer<SharedClassifier<ServerErrorsAsFailures>, MakeSpan, ()>;

pub fn trace_layer() -> Trace {
    TraceLayer::new_for_http()
        .make_span_with(span as MakeSpan)
        .on_request(())
        .on_response(
            DefaultOnResponse::new()
                .level(Level::INFO)
                .latency_unit(LatencyUnit::Micros),
        )
}

/// The span of a request, below the one that the client names.
fn span(request: &Request<Body>) -> Span {
    let method = request.method();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str);
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok());
    let span = info_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        %method,
        route,
        path = request.uri().path(),
        request_id = id,
    );
    let parent = global::get_text_map_propagator(|propagator| {
        propagator.extract(&HeaderExtractor(request.headers()))
    });
    // It fails only for a span that was entered before.
    let _ = span.set_parent(parent);
    span
}

/// The bench has no collector: what was sampled is made, batched and dropped.
#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}
