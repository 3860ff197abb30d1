//! `/metrics`: the Prometheus text format, version 0.0.4.

use std::fmt::Write as _;

use doyen_data::Database;
use doyen_web::{DURATION_BUCKETS, RouteMetrics, Service};

/// Every metric of this process.
pub(super) fn text(service: &Service, database: &Database) -> String {
    let mut out = String::with_capacity(8 << 10);
    let routes: Vec<RouteMetrics> = service
        .metrics()
        .into_iter()
        .filter(|metrics| !metrics.statuses.is_empty())
        .collect();
    requests(&routes, &mut out);
    durations(&routes, &mut out);
    pressure(service, &mut out);
    pool(database, &mut out);
    out
}

// Writing to a string can not fail: the results of `writeln!` are of no use here.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
    out.push('\n');
}

fn requests(routes: &[RouteMetrics], out: &mut String) {
    out.push_str("# HELP http_server_requests_total Requests that were answered.\n# TYPE http_server_requests_total counter\n");
    for metrics in routes {
        for (status, count) in &metrics.statuses {
            line(
                out,
                format_args!(
                    "http_server_requests_total{{{},status=\"{status}\"}} {count}",
                    labels(metrics)
                ),
            );
        }
    }
}

fn durations(routes: &[RouteMetrics], out: &mut String) {
    const NAME: &str = "http_server_request_duration_seconds";
    line(
        out,
        format_args!("# HELP {NAME} How long requests took.\n# TYPE {NAME} histogram"),
    );
    for metrics in routes {
        let labels = labels(metrics);
        let mut sum = 0;
        for (end, count) in DURATION_BUCKETS.iter().zip(&metrics.buckets) {
            sum += count;
            line(
                out,
                format_args!("{NAME}_bucket{{{labels},le=\"{end}\"}} {sum}"),
            );
        }
        let all: u64 = metrics.buckets.iter().sum();
        line(
            out,
            format_args!("{NAME}_bucket{{{labels},le=\"+Inf\"}} {all}"),
        );
        line(
            out,
            format_args!("{NAME}_sum{{{labels}}} {}", metrics.total.as_secs_f64()),
        );
        line(out, format_args!("{NAME}_count{{{labels}}} {all}"));
    }
}

fn pressure(service: &Service, out: &mut String) {
    let pressure = service.pressure();
    let mut metric = |name: &str, kind: &str, help: &str, value: u64| {
        line(
            out,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"),
        );
    };
    metric(
        "http_server_shed_requests_total",
        "counter",
        "Requests refused because the server was overloaded.",
        pressure.shed,
    );
    metric(
        "http_server_buffered_bytes",
        "gauge",
        "Bytes held for clients: requests that arrive, responses that are not read.",
        pressure.buffered as u64,
    );
    metric(
        "http_server_disconnected_total",
        "counter",
        "Connections closed because their client held the most of these bytes.",
        pressure.disconnected,
    );
}

fn pool(database: &Database, out: &mut String) {
    let pool = database.pool();
    out.push_str("# HELP db_pool_connections Connections to the database, by state.\n# TYPE db_pool_connections gauge\n");
    line(
        out,
        format_args!("db_pool_connections{{state=\"open\"}} {}", pool.open),
    );
    line(
        out,
        format_args!("db_pool_connections{{state=\"idle\"}} {}", pool.idle),
    );
}

/// Templates hold no quotes, backslashes or line ends: the router would not have taken them. Escaped all the same.
fn labels(metrics: &RouteMetrics) -> String {
    let route = metrics.route.replace('\\', "\\\\").replace('"', "\\\"");
    format!("method=\"{}\",route=\"{route}\"", metrics.method)
}
