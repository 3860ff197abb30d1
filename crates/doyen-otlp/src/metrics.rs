//! The metrics of the application as OTLP metrics, with the names that `/metrics` shows.
//!
//! They are read from the text that `/metrics` shows, so that both always agree.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use doyen_app::{Health, Metrics};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::collector::Collector;
use crate::counters::{Counters, Loss, Signal};
use crate::exemplars::{self, Exemplars, Found};
use crate::export::report;
use crate::resource::{scope, text, text_of};
use crate::spans::nanos;

/// Sends the metrics at intervals, and once at the stop. One set is in memory at a time.
pub(crate) struct MetricsExporter {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    pub(crate) collector: Arc<Collector>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) exemplars: Arc<Exemplars>,
    pub(crate) resource: Resource,
    pub(crate) interval: Duration,
    pub(crate) stop_timeout: Duration,
}

impl MetricsExporter {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let limit = async {
            stop.cancelled().await;
            sleep(self.stop_timeout).await;
        };
        tokio::select! {
            () = self.send_all(&stop) => {}
            () = limit => {}
        }
    }

    async fn send_all(&self, stop: &CancellationToken) {
        let start = nanos(SystemTime::now());
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(self.interval) => {}
            }
            let shown = self.metrics.render(&self.health).await;
            let mut metrics = parse(&shown, start, nanos(SystemTime::now()));
            attach(&mut metrics, &mut self.exemplars.take());
            let count = metrics.len() as u64;
            let body: Bytes = request(metrics, &self.resource).encode_to_vec().into();
            // Without a retry: the next set has the same counters.
            let sent = self.collector.send(Signal::Metrics, body).await;
            let result = sent.map(|rejected| {
                let rejected = rejected.min(count);
                self.counters.exported(Signal::Metrics, count - rejected);
                self.counters
                    .dropped(Signal::Metrics, Loss::Rejected, rejected);
            });
            if result.is_err() {
                self.counters.dropped(Signal::Metrics, Loss::Failed, count);
            }
            report(Signal::Metrics, &result, &mut is_failing);
            if stop.is_cancelled() {
                return;
            }
        }
    }
}

/// Adds the exemplars to the metric of the duration of requests.
fn attach(metrics: &mut [Metric], exemplars: &mut Found) {
    let metric = metrics.iter_mut().find(|one| one.name == exemplars::METRIC);
    let Some(Data::Histogram(histogram)) = metric.and_then(|one| one.data.as_mut()) else {
        return;
    };
    for point in &mut histogram.data_points {
        let label = |name| text_of(&point.attributes, name);
        let key = label("method").zip(label("route"));
        point
            .exemplars
            .extend(key.and_then(|key| exemplars.remove(&key)));
    }
}

fn request(metrics: Vec<Metric>, resource: &Resource) -> ExportMetricsServiceRequest {
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource.clone()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics,
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

/// A family of the text.
#[derive(Default)]
struct Parsed<'a> {
    name: &'a str,
    help: &'a str,
    kind: &'a str,
    numbers: Vec<NumberDataPoint>,
    /// Histograms by their labels.
    histograms: BTreeMap<String, Buckets>,
}

#[derive(Default)]
struct Buckets {
    attributes: Vec<KeyValue>,
    bounds: Vec<f64>,
    /// Counts up to each bound, as the text has them.
    up_to: Vec<u64>,
    sum: f64,
    count: u64,
}

/// Reads the Prometheus text format, as [`Metrics`] writes it.
fn parse(shown: &str, start: u64, now: u64) -> Vec<Metric> {
    let mut families: Vec<Parsed<'_>> = Vec::new();
    for line in shown.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
            families.push(Parsed {
                name,
                help,
                ..Parsed::default()
            });
        } else if let Some(family) = families.last_mut() {
            match line.strip_prefix("# TYPE ") {
                Some(rest) => family.kind = rest.split_once(' ').map_or("", |(_, kind)| kind),
                // A line of another form is left out.
                None => _ = family.add(line, start, now),
            }
        }
    }
    families
        .into_iter()
        .filter_map(|one| one.finish(start, now))
        .collect()
}

impl Parsed<'_> {
    fn add(&mut self, line: &str, start: u64, now: u64) -> Option<()> {
        let (series, value) = line.rsplit_once(' ')?;
        let value: f64 = value.parse().ok()?;
        let name_end = series.find('{').unwrap_or(series.len());
        let labels = labels(&series[name_end..]);
        let part = series[..name_end].strip_prefix(self.name)?;
        if self.kind != "histogram" {
            self.numbers.push(NumberDataPoint {
                attributes: attributes(&labels),
                start_time_unix_nano: if self.kind == "counter" { start } else { 0 },
                time_unix_nano: now,
                value: Some(Value::AsDouble(value)),
                ..NumberDataPoint::default()
            });
            return Some(());
        }
        let own: Vec<_> = labels
            .iter()
            .filter(|(name, _)| name != "le")
            .cloned()
            .collect();
        let entry = self.histograms.entry(format!("{own:?}")).or_default();
        entry.attributes = attributes(&own);
        match part {
            "_sum" => entry.sum = value,
            "_count" => entry.count = whole(value),
            _ => {
                let bound = &labels.iter().find(|(name, _)| name == "le")?.1;
                // The last bucket has no bound in OTLP.
                if bound != "+Inf" {
                    entry.bounds.push(bound.parse().ok()?);
                    entry.up_to.push(whole(value));
                }
            }
        }
        Some(())
    }

    fn finish(self, start: u64, now: u64) -> Option<Metric> {
        if self.numbers.is_empty() && self.histograms.is_empty() {
            return None;
        }
        let temporality = AggregationTemporality::Cumulative.into();
        let histograms = self.histograms.into_values();
        let data = match self.kind {
            "counter" => Data::Sum(Sum {
                data_points: self.numbers,
                aggregation_temporality: temporality,
                is_monotonic: true,
            }),
            "histogram" => Data::Histogram(Histogram {
                data_points: histograms.map(|one| one.point(start, now)).collect(),
                aggregation_temporality: temporality,
            }),
            _ => Data::Gauge(Gauge {
                data_points: self.numbers,
            }),
        };
        Some(Metric {
            name: self.name.to_owned(),
            description: self.help.to_owned(),
            data: Some(data),
            ..Metric::default()
        })
    }
}

impl Buckets {
    fn point(self, start: u64, now: u64) -> HistogramDataPoint {
        let before = std::iter::once(0).chain(self.up_to.iter().copied());
        let all = self.up_to.iter().copied().chain([self.count]);
        HistogramDataPoint {
            attributes: self.attributes,
            start_time_unix_nano: start,
            time_unix_nano: now,
            count: self.count,
            sum: Some(self.sum),
            bucket_counts: all
                .zip(before)
                .map(|(up_to, before)| up_to.saturating_sub(before))
                .collect(),
            explicit_bounds: self.bounds,
            ..HistogramDataPoint::default()
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is a whole number, and the cast saturates"
)]
const fn whole(value: f64) -> u64 {
    value as u64
}

fn attributes(labels: &[(String, String)]) -> Vec<KeyValue> {
    labels
        .iter()
        .map(|(name, value)| text(name, value))
        .collect()
}

/// Reads `{name="value",..}`.
fn labels(mut rest: &str) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    while let Some((name, after)) = rest.get(1..).and_then(|rest| rest.split_once("=\"")) {
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next() {
                None => return labels,
                Some((at, '"')) => break at,
                Some((_, '\\')) => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => return labels,
                },
                Some((_, other)) => value.push(other),
            }
        };
        labels.push((name.to_owned(), value));
        rest = &after[end + 1..];
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_format_becomes_metrics() {
        let shown = "# HELP mails_total Mails sent.\n# TYPE mails_total counter\n\
             mails_total{to=\"a\\\"b,\\\\c\\nd\",of=\"x\"} 3\n\
             # HELP empty Nothing.\n# TYPE empty gauge\n\
             # HELP waiting Waiting.\n# TYPE waiting gauge\nwaiting 1.5\n\
             # HELP mail_seconds Time.\n# TYPE mail_seconds histogram\n\
             mail_seconds_bucket{to=\"a\",le=\"0.1\"} 1\nmail_seconds_bucket{to=\"a\",le=\"1\"} 3\n\
             mail_seconds_bucket{to=\"a\",le=\"+Inf\"} 7\nmail_seconds_sum{to=\"a\"} 9.5\nmail_seconds_count{to=\"a\"} 7\n";
        let metrics = parse(shown, 1, 2);
        let names: Vec<_> = metrics.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["mails_total", "waiting", "mail_seconds"]);
        let Some(Data::Sum(sum)) = &metrics[0].data else {
            panic!("{:?}", metrics[0]);
        };
        assert!(sum.is_monotonic);
        let point = &sum.data_points[0];
        assert_eq!(
            point.attributes,
            [text("to", "a\"b,\\c\nd"), text("of", "x")]
        );
        assert_eq!(point.value, Some(Value::AsDouble(3.0)));
        let Some(Data::Histogram(histogram)) = &metrics[2].data else {
            panic!("{:?}", metrics[2]);
        };
        let point = &histogram.data_points[0];
        assert_eq!(point.bucket_counts, [1, 2, 4]);
        assert_eq!(point.explicit_bounds, [0.1, 1.0]);
        assert_eq!((point.count, point.sum), (7, Some(9.5)));
        assert_eq!(point.attributes, [text("to", "a")]);
    }
}
