//! What operators watch: a dashboard for Grafana, and recording rules and alerts for Prometheus.
//!
//! Everything is generated from the families of metrics that are registered, so that a plugin that
//! an application does not have has no graph and no alert. Two service level objectives come in
//! addition: the share of requests that succeed, and the share of those that are fast.

mod alerts;
mod catalogue;
mod grafana;
mod graph;
mod rules;
mod slo;

pub(crate) use catalogue::{Catalogue, Group};

/// What the files are generated for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The label `job` that Prometheus gives to the metrics of the application.
    pub(crate) job: String,
    /// Percentage of the requests that do not fail.
    pub(crate) availability: f64,
    /// Time in which requests are fast, in seconds: a bound of the histogram of durations.
    pub(crate) latency: f64,
    /// Percentage of the requests that are fast.
    pub(crate) fast: f64,
}

/// A generated file.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path in the folder of the output.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Returns all files.
pub(crate) fn files(catalogue: &Catalogue, options: &Options) -> Vec<File> {
    let app = catalogue.app;
    let objectives = slo::objectives(options);
    let recorded = rules::yaml(app, &slo::recordings(app, options, &objectives));
    let alerts = rules::yaml(app, &alerts::groups(catalogue, options, &objectives));
    let dashboard = grafana::dashboard(catalogue, options, &objectives);
    vec![
        File {
            path: format!("grafana/{app}.json"),
            text: format!("{dashboard:#}\n"),
        },
        File {
            path: format!("prometheus/{app}.alerts.yml"),
            text: alerts,
        },
        File {
            path: format!("prometheus/{app}.recording.yml"),
            text: recorded,
        },
    ]
}

/// The matchers of the series of the application, for rules.
fn selector(options: &Options) -> String {
    // A JSON string is a PromQL string too.
    format!("job={}", serde_json::Value::from(options.job.as_str()))
}
