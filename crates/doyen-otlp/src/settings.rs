//! The settings of the plugin.

use std::time::Duration;

use doyen_core::Secret;
use doyen_settings::{ByteSize, Settings};

/// Traces, logs and metrics over OTLP.
#[derive(Clone, Debug, Settings)]
#[non_exhaustive]
pub struct OtlpSettings {
    /// URL of the collector, such as `http://127.0.0.1:4318`. The path of each signal is added,
    /// such as `/v1/traces`. If not set, nothing is recorded or exported.
    #[setting(env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub endpoint: Option<String>,
    /// Protocol: `http` is Protocol Buffers over HTTP/1.1, by convention on port 4318. `grpc` is
    /// gRPC, on port 4317.
    #[setting(default = "http")]
    pub protocol: OtlpProtocol,
    /// Headers of each request to the collector: `api-key=secret,tenant=shop`. Values are
    /// percent-decoded.
    #[setting(env = "OTEL_EXPORTER_OTLP_HEADERS")]
    pub headers: Option<Secret<String>>,
    /// Name of the service in the telemetry. If not set, the name of the binary.
    #[setting(env = "OTEL_SERVICE_NAME")]
    pub service: Option<String>,
    /// Export traces.
    #[setting(default = true)]
    pub traces: bool,
    /// Export log lines: one for each request, and warnings and errors. They are also on standard
    /// output.
    #[setting(default = false)]
    pub logs: bool,
    /// Export the metrics that `/metrics` shows.
    #[setting(default = false)]
    pub metrics: bool,
    /// Pause between two exports of the metrics.
    #[setting(default = "1m", min = "10ms", max = "1h")]
    pub metrics_interval: Duration,
    /// Share of the traces that begin here and are exported, from 0 to 1. If not set, 0.1 in `prod`
    /// and 1 otherwise. For a trace that begins elsewhere, the flag of its `traceparent` decides.
    #[setting(min = 0, max = 1)]
    pub sample: Option<f64>,
    /// Duration from which a request, job, event handler or message is exported even if its trace
    /// is not sampled. Those that fail are always exported.
    #[setting(default = "1s", min = "1ms", max = "1h")]
    pub slow: Duration,
    /// Maximum time of one request to the collector.
    #[setting(default = "10s", min = "10ms", max = "1m")]
    pub timeout: Duration,
    /// Pause between two batches. A batch that is full is sent at once.
    #[setting(default = "1s", min = "10ms", max = "1m")]
    pub interval: Duration,
    /// Maximum memory of the telemetry that waits for the collector, once for traces and once for
    /// logs. What does not fit is dropped and counted in `otlp_dropped_total`.
    #[setting(default = "4 MiB", min = "64 KiB", max = "256 MiB")]
    pub queue: ByteSize,
    /// Maximum time at the stop of the application for what still waits. The rest is dropped.
    #[setting(default = "3s", min = "0s", max = "1m")]
    pub stop_timeout: Duration,
}

/// How telemetry is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Settings)]
pub enum OtlpProtocol {
    /// Protocol Buffers over HTTP/1.1.
    Http,
    /// gRPC, over HTTP/2.
    Grpc,
}
