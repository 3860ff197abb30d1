//! The command `dashboards`: what it writes is checked with a real Prometheus.

mod alerts;
mod drive;

use std::path::{Path, PathBuf};

use doyen_test::{Ended, Program};
use serde_json::Value;

use crate::support::prometheus::{Prometheus, promtool};
use drive::Driven;

/// Nothing listens there: the telemetry is lost, and that is counted.
const COLLECTOR: (&str, &str) = ("APP_OTLP__ENDPOINT", "http://127.0.0.1:9");

fn run(words: &[&str]) -> Ended {
    run_with(words, &[])
}

fn run_with(words: &[&str], settings: &[(&str, &str)]) -> Ended {
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk")).env(COLLECTOR.0, COLLECTOR.1);
    let program = settings
        .iter()
        .fold(program, |all, (name, value)| all.env(name, value));
    words.iter().fold(program, |all, word| all.arg(word)).run()
}

/// The files that the command writes, in a folder that is deleted at the end.
pub(crate) struct Written(PathBuf);

impl Written {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, &[])
    }

    /// The files for a helpdesk with further settings.
    fn with(name: &str, settings: &[(&str, &str)]) -> Self {
        let folder = format!("doyen-dashboards-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let words = ["dashboards", "--out", &folder.display().to_string()];
        let ended = run_with(&words, settings);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        Self(folder)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn rules(&self) -> [PathBuf; 2] {
        ["recording", "alerts"].map(|kind| self.0.join(format!("prometheus/helpdesk.{kind}.yml")))
    }

    fn dashboard(&self) -> Value {
        let text = std::fs::read_to_string(self.0.join("grafana/helpdesk.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_files_are_listed_printed_and_written() {
    let list = run(&["dashboards"]);
    assert_eq!(list.code, Some(0), "{list:?}");
    let written = Written::new("files");
    for name in list.stdout.lines() {
        let printed = run(&["dashboards", name]);
        let file = std::fs::read_to_string(written.folder().join(name)).unwrap();
        assert_eq!(printed.stdout, file, "{name}");
    }
    assert_eq!(list.stdout.lines().count(), 3, "{list:?}");
    let job = run(&[
        "dashboards",
        "prometheus/helpdesk.alerts.yml",
        "--job",
        "support's",
    ]);
    assert!(job.stdout.contains("job=\"support''s\""), "{job:?}");
    for (words, why) in [
        (
            ["dashboards", "nothing.json"].as_slice(),
            "grafana/helpdesk.json",
        ),
        (&["dashboards", "--availability", "100"], "99.9"),
        (&["dashboards", "--latency", "0.3"], "0.25, 0.5"),
    ] {
        let refused = run(words);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
}

#[test]
fn promtool_has_no_objection_to_the_metrics_and_rules() {
    let helpdesk = Driven::start();
    let (clean, findings) = promtool(&["check", "metrics"], Some(&helpdesk.metrics()));
    assert!(clean, "{findings}");
    let written = Written::new("check");
    for file in written.rules() {
        let (clean, findings) = promtool(&["check", "rules", &file.display().to_string()], None);
        assert!(clean, "{findings}");
    }
}

/// Each query of each panel and of each recording rule parses, and returns numbers, once the
/// helpdesk was used. An alert must parse; `alerts` shows when it fires.
#[test]
fn every_panel_and_rule_shows_data_of_a_driven_helpdesk() {
    let written = Written::new("panels");
    let mut helpdesk = Driven::start();
    let prometheus = Prometheus::start("helpdesk", helpdesk.admin(), &written.rules());
    helpdesk.drive();
    let dashboard = written.dashboard();
    let queries = queries(&dashboard);
    assert!(queries.len() > 80, "{}", queries.len());
    let mut missing: Vec<(String, String)> =
        queries.into_iter().chain(recorded(&written)).collect();
    let done = helpdesk.server().wait_for(|| {
        missing.retain(|(_, query)| !has_numbers(&prometheus, query));
        if missing.is_empty() {
            return Some(());
        }
        helpdesk.again();
        None
    });
    assert!(
        done.is_some(),
        "without data: {missing:#?}\n{}",
        prometheus.output()
    );
    // A helpdesk that works has no critical alert.
    let critical = "ALERTS{alertstate=\"firing\",severity=\"critical\"}";
    assert_eq!(prometheus.query(critical), Ok(Vec::new()));
}

fn has_numbers(prometheus: &Prometheus, query: &str) -> bool {
    let series = prometheus
        .query(query)
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    series.iter().any(|one| one["value"][1] != "NaN")
}

/// The queries of all panels, with their titles.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut ids = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        ids.push(panel["id"].as_u64());
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().unwrap();
            let query = query
                .replace("$job", "helpdesk")
                .replace("$instance", ".*")
                .replace("$__rate_interval", "15s");
            assert!(
                !query.contains('$'),
                "a variable that the dashboard does not have: {query}"
            );
            found.push((panel["title"].to_string(), query));
        }
    }
    let number = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), number, "two panels have one id");
    found
}

/// The names of the recorded series.
fn recorded(written: &Written) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(&written.rules()[0]).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- record: "));
    let names = names.map(|name| name.trim_matches('\'').to_owned());
    names.map(|name| (name.clone(), name)).collect()
}
