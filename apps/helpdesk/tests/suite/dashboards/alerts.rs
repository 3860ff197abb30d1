//! Each alert fires when it should, and is silent when it should be: `promtool test rules` with
//! made-up series.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Written;
use crate::support::prometheus::promtool;

/// A series, and its values in the notation of `promtool`: `0+5x30` is 0, 5, 10 and so on.
type Series = (&'static str, &'static str);

/// When an alert fires, and when it does not although its series exist.
struct Case {
    alert: &'static str,
    /// When it is asked, in minutes.
    at: u32,
    fires: &'static [Series],
    silent: &'static [Series],
}

const OK: &str = r#"http_server_requests_total{status="200"}"#;
const FAILED: &str = r#"http_server_requests_total{status="500"}"#;
const HEALTH: &str = r#"http_server_requests_total{route="/readyz",status="503"}"#;
const TOOK: &str = "http_server_request_duration_seconds_count{}";
const FAST: &str = r#"http_server_request_duration_seconds_bucket{le="0.5"}"#;
const SECOND: &str = r#"http_server_request_duration_seconds_bucket{le="1"}"#;
const FIVE: &str = r#"http_server_request_duration_seconds_bucket{le="5"}"#;
const OPEN: &str = r#"db_pool_connections{state="open"}"#;
const IDLE: &str = r#"db_pool_connections{state="idle"}"#;
const MAX: &str = "db_pool_max_connections{}";
const UNKNOWN: &str = r#"db_transactions_total{end="unknown"}"#;
const STARTED: &str = "process_start_time_seconds{}";
const BUSY: &str = "tokio_busy_seconds_total{}";
const WORKERS: &str = "tokio_workers{}";
const RESTARTS: &str = r#"task_restarts_total{task="relay"}"#;
const LOGIN: &str = r#"auth_logins_total{result="failed"}"#;
const BREAKER: &str = r#"outbound_breakers{client="mail",state="open"}"#;
const REDIS: &str = r#"cache_errors_total{tier="redis"}"#;
const SCANS: &str = r#"files_scans_total{verdict="failed"}"#;
const JOBS: &str = r#"jobs_depth{queue="mail",status="failed"}"#;
const LOST: &str = r#"otlp_dropped_total{signal="traces",reason="failed"}"#;
const CERTIFICATE: [(&str, &str); 2] = [
    ("APP_SERVER__TLS__CERTIFICATE", "tls.crt"),
    ("APP_SERVER__TLS__KEY", "tls.key"),
];
const EXPIRY: &str = "tls_certificate_expiry_timestamp_seconds{}";
const QUEUED: &str = r#"jobs_oldest_seconds{queue="mail"}"#;

const CASES: &[Case] = &[
    Case {
        alert: "AvailabilityBudgetBurnsFast",
        at: 60,
        fires: &[(OK, "0+100x60"), (FAILED, "0+3x60")],
        // The errors are over, and failed health checks do not count.
        silent: &[
            (OK, "0+100x60"),
            (FAILED, "0+10x10 100+0x50"),
            (HEALTH, "0+60x60"),
        ],
    },
    Case {
        alert: "AvailabilityBudgetBurnsSlowly",
        at: 240,
        fires: &[(OK, "0+1000x240"), (FAILED, "0+2x240")],
        silent: &[(OK, "0+10000x240"), (FAILED, "0+5x240")],
    },
    Case {
        alert: "LatencyBudgetBurnsFast",
        at: 60,
        fires: &[(TOOK, "0+100x60"), (FAST, "0+80x60")],
        silent: &[(TOOK, "0+100x60"), (FAST, "0+95x60")],
    },
    Case {
        alert: "LatencyBudgetBurnsSlowly",
        at: 240,
        fires: &[(TOOK, "0+1000x240"), (FAST, "0+980x240")],
        silent: &[(TOOK, "0+1000x240"), (FAST, "0+995x240")],
    },
    Case {
        alert: "HttpErrorsHigh",
        at: 20,
        fires: &[(OK, "0+90x20"), (FAILED, "0+10x20")],
        silent: &[(OK, "0+97x20"), (FAILED, "0+3x20")],
    },
    Case {
        alert: "HttpLatencyHigh",
        at: 30,
        fires: &[
            (SECOND, "0+95x30"),
            (FIVE, "0+100x30"),
            (INFINITE, "0+100x30"),
        ],
        silent: &[
            (SECOND, "0+100x30"),
            (FIVE, "0+100x30"),
            (INFINITE, "0+100x30"),
        ],
    },
    Case {
        alert: "HttpRequestsShed",
        at: 20,
        fires: &[("http_server_shed_requests_total{}", "0+1x20")],
        silent: &[("http_server_shed_requests_total{}", "7x20")],
    },
    Case {
        alert: "DatabasePoolExhausted",
        at: 10,
        fires: &[(OPEN, "10x10"), (IDLE, "0x10"), (MAX, "10x10")],
        silent: &[(OPEN, "10x10"), (IDLE, "1x10"), (MAX, "10x10")],
    },
    Case {
        alert: "CommitsUnknown",
        at: 10,
        fires: &[(UNKNOWN, "0x5 1x5")],
        silent: &[(UNKNOWN, "1x10")],
    },
    Case {
        alert: "NotReady",
        at: 10,
        fires: &[("health_ready{}", "0x10")],
        silent: &[("health_ready{}", "1x10")],
    },
    Case {
        alert: "HealthCheckFails",
        at: 10,
        fires: &[(r#"health_check_up{check="redis"}"#, "0x10")],
        // It fails for a moment.
        silent: &[(r#"health_check_up{check="redis"}"#, "1x3 0 0 1x5")],
    },
    Case {
        alert: "InstanceDown",
        at: 10,
        fires: &[("up{}", "1x4 0x6")],
        silent: &[("up{}", "1x10")],
    },
    Case {
        alert: "NoInstance",
        at: 10,
        fires: &[(r#"up{job="another"}"#, "1x10")],
        silent: &[("up{}", "0x10")],
    },
    Case {
        alert: "ProcessRestarts",
        at: 40,
        fires: &[(STARTED, "100x9 700x9 1300x9 1900x9 2500x9")],
        silent: &[(STARTED, "100x20 1300x20")],
    },
    Case {
        alert: "FileDescriptorsLow",
        at: 10,
        fires: &[
            ("process_open_fds{}", "950x10"),
            ("process_max_fds{}", "1024x10"),
        ],
        silent: &[
            ("process_open_fds{}", "500x10"),
            ("process_max_fds{}", "1024x10"),
        ],
    },
    Case {
        alert: "RuntimeSaturated",
        at: 30,
        fires: &[(BUSY, "0+115x30"), (WORKERS, "2x30")],
        silent: &[(BUSY, "0+60x30"), (WORKERS, "2x30")],
    },
    Case {
        alert: "TaskRestarts",
        at: 20,
        fires: &[(RESTARTS, "0+1x20")],
        silent: &[(RESTARTS, "0x10 1x10")],
    },
    Case {
        alert: "LogLinesLost",
        at: 20,
        fires: &[("log_lines_dropped_total{}", "0x15 90x5")],
        silent: &[("log_lines_dropped_total{}", "90x20")],
    },
    Case {
        alert: "LoginFailuresHigh",
        at: 20,
        fires: &[(LOGIN, "0+90x20")],
        silent: &[(LOGIN, "0+20x20")],
    },
    Case {
        alert: "SecurityEventsLost",
        at: 20,
        fires: &[("auth_security_events_lost_total{}", "0x15 90x5")],
        silent: &[("auth_security_events_lost_total{}", "90x20")],
    },
    Case {
        alert: "OutboxLag",
        at: 20,
        fires: &[("events_outbox_lag_seconds{}", "90x20")],
        silent: &[("events_outbox_lag_seconds{}", "2x20")],
    },
    Case {
        alert: "EventsParked",
        at: 5,
        fires: &[("events_parked{}", "1x5")],
        silent: &[("events_parked{}", "0x5")],
    },
    Case {
        alert: "JobsFailed",
        at: 5,
        fires: &[(JOBS, "1x5")],
        silent: &[(JOBS, "0x5")],
    },
    Case {
        alert: "JobsLate",
        at: 20,
        fires: &[(QUEUED, "300+60x20")],
        silent: &[(QUEUED, "30x20")],
    },
    Case {
        alert: "CircuitBreakerOpen",
        at: 20,
        // It is half open now and then.
        fires: &[(BREAKER, "1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0")],
        silent: &[(BREAKER, "0 1 0x18")],
    },
    Case {
        alert: "CacheErrors",
        at: 20,
        fires: &[(REDIS, "0+60x20")],
        silent: &[(REDIS, "0+1x20")],
    },
    Case {
        alert: "FileScansFail",
        at: 20,
        fires: &[(SCANS, "0x15 1x5")],
        silent: &[(SCANS, "1x20")],
    },
    Case {
        alert: "TelemetryLost",
        at: 20,
        fires: &[(LOST, "0x15 1x5")],
        silent: &[(LOST, "7x20")],
    },
    Case {
        alert: "TlsCertificateExpires",
        // The clock of the tests begins in 1970: 14 days are 1,209,600 seconds.
        at: 20,
        fires: &[(EXPIRY, "1210000x20")],
        silent: &[(EXPIRY, "1211000x20")],
    },
];

const INFINITE: &str = r#"http_server_request_duration_seconds_bucket{le="+Inf"}"#;

/// A test of `promtool`: the alert has this value, 1 if it fires.
fn test(case: &Case, series: &[Series], fires: bool) -> Value {
    let input = series.iter().map(|(name, values)| {
        let mut labels = "instance=\"one:9000\"".to_owned();
        if !name.contains("job=") {
            labels.push_str(",job=\"helpdesk\"");
        }
        let (name, own) = name.trim_end_matches('}').split_once('{').unwrap();
        let comma = if own.is_empty() { "" } else { "," };
        json!({"series": format!("{name}{{{own}{comma}{labels}}}"), "values": values})
    });
    let alerts = format!(
        "ALERTS{{alertname=\"{}\",alertstate=\"firing\"}}",
        case.alert
    );
    let at = case.at;
    json!({
        "name": format!("{}, {fires}", case.alert),
        "interval": "1m",
        "input_series": input.collect::<Vec<_>>(),
        "promql_expr_test": [{
            "expr": format!("min({alerts}) or vector(0)"),
            "eval_time": format!("{at}m"),
            "exp_samples": [{"labels": "{}", "value": u8::from(fires)}],
        }],
    })
}

/// Returns the names of all alerts in the source of the crates.
fn declared() -> BTreeSet<String> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../crates")];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                names.extend(alerts_of(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    names
}

/// Returns the names of the alerts that a file declares.
fn alerts_of(source: &str) -> Vec<String> {
    let code: Vec<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let calls = ["Alert::critical(", "Alert::warning("];
    let after = calls.iter().flat_map(|call| code.split(call).skip(1));
    let names = after.filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next());
    names.map(str::to_owned).collect()
}

#[test]
fn each_alert_fires_when_it_should_and_only_then() {
    // The files of the certificate are read by a listener only.
    let written = Written::with("alerts", &CERTIFICATE);
    let text = std::fs::read_to_string(&written.rules()[1]).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let names: BTreeSet<&str> = names.map(|name| name.trim_matches('\'')).collect();
    let tested: BTreeSet<&str> = CASES.iter().map(|case| case.alert).collect();
    assert_eq!(names, tested);
    // Also those of a part that this helpdesk does not use.
    let declared = declared();
    assert!(declared.len() > 20, "{declared:?}");
    let tested: BTreeSet<String> = tested.iter().map(|&name| name.to_owned()).collect();
    let without: Vec<_> = declared.difference(&tested).collect();
    assert!(without.is_empty(), "alerts without a case: {without:?}");

    let both = |case: &Case| [test(case, case.fires, true), test(case, case.silent, false)];
    let tests: Vec<Value> = CASES.iter().flat_map(both).collect();
    let file = written.folder().join("tests.yml");
    let suite = json!({
        "rule_files": written.rules(),
        "evaluation_interval": "1m",
        "tests": tests,
    });
    std::fs::write(&file, suite.to_string()).unwrap();
    let (passed, findings) = promtool(&["test", "rules", &file.display().to_string()], None);
    assert!(passed, "{findings}");
}
