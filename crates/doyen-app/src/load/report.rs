//! The result of a load test, for the terminal.

use serde_json::Value;

use crate::cli::align;

/// Returns the table, and what was missed.
///
/// The scripts write `routes` and `total`, each with counts and times in milliseconds, and
/// `statuses` with the number of responses by status; 0 if there was no response.
pub(crate) fn text(report: &Value, plan: &Value) -> (String, Vec<String>) {
    let routes = report["routes"].as_array().into_iter().flatten();
    let rows: Vec<[String; 7]> = routes.chain([&report["total"]]).map(row).collect();
    let head = ["ROUTE", "REQUESTS", "FAILED", "P50", "P95", "P99", "MAX"];
    let mut text = align(head, rows);
    text.push_str("\n\nTimes are in milliseconds.");
    for (status, count) in report["statuses"].as_object().into_iter().flatten() {
        let what = match status.as_str() {
            "0" => "no response".to_owned(),
            status => format!("status {status}"),
        };
        text.push_str(&format!("\n{what}: {count}"));
    }
    (text, missed(report, plan))
}

fn row(one: &Value) -> [String; 7] {
    let time = |name: &str| {
        one[name]
            .as_f64()
            .map_or("-".to_owned(), |time| format!("{time:.0}"))
    };
    [
        one["name"].as_str().unwrap_or_default().to_owned(),
        one["requests"].to_string(),
        one["failures"].to_string(),
        time("p50"),
        time("p95"),
        time("p99"),
        time("max"),
    ]
}

fn missed(report: &Value, plan: &Value) -> Vec<String> {
    let total = &report["total"];
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let (requests, failures) = (number(&total["requests"]), number(&total["failures"]));
    let mut missed = Vec::new();
    if requests == 0.0 {
        missed.push("no request was sent".to_owned());
        return missed;
    }
    let (errors, limit) = (failures / requests * 100.0, number(&plan["errors_percent"]));
    if errors > limit {
        missed.push(format!(
            "{errors:.2} % of the requests failed, and {limit} % may"
        ));
    }
    let (p99, limit) = (number(&total["p99"]), number(&plan["p99_ms"]));
    if p99 > limit {
        missed.push(format!(
            "one of 100 requests took more than {p99:.0} ms, and {limit} ms may"
        ));
    }
    if !report["statuses"]["429"].is_null() {
        missed.push(
            "some requests exceeded a rate limit: give more users with `--user`, or raise \
             `limits.default` for the test"
                .to_owned(),
        );
    }
    missed
}
