//! `cargo xtask generate [--check]`: writes the committed files that the code prints, or compares
//! them.
//!
//! The files are committed, because people read them and reviews show how they change. The gate
//! compares them, so that they cannot be forgotten.

use std::path::Path;

use toolkit::{Context, Failure, Result, workspace};

use crate::contract::{HELPDESK_IS_READY, first_difference};
use crate::helpdesk;

/// A committed file, the text at its start, and the command of the helpdesk that prints the rest.
struct Generated {
    path: &'static str,
    head: &'static str,
    command: &'static [&'static str],
    settings: &'static [(&'static str, &'static str)],
}

/// With the collector of `deploy/compose.yaml`: without it the export has no metrics and alerts.
const COLLECTOR: &[(&str, &str)] = &[
    ("APP_ENV", "test"),
    ("APP_OTLP__ENDPOINT", "http://otel-collector:4318"),
];

/// Every generated file.
const GENERATED: [Generated; 5] = [
    Generated {
        path: helpdesk::CONTRACT,
        head: "",
        command: &["openapi"],
        settings: &[],
    },
    Generated {
        path: "docs/reference/settings.md",
        head: "# Settings\n\nThe settings of the helpdesk, printed by `helpdesk config reference`. The last \
               section is its own;\nthe others are those of the framework and of its plugins.\n\n",
        command: &["config", "reference"],
        settings: &[],
    },
    Generated {
        path: "deploy/grafana/helpdesk.json",
        head: "",
        command: &["dashboards", "grafana/helpdesk.json"],
        settings: COLLECTOR,
    },
    Generated {
        path: "deploy/prometheus/helpdesk.alerts.yml",
        head: "",
        command: &["dashboards", "prometheus/helpdesk.alerts.yml"],
        settings: COLLECTOR,
    },
    Generated {
        path: "deploy/prometheus/helpdesk.recording.yml",
        head: "",
        command: &["dashboards", "prometheus/helpdesk.recording.yml"],
        settings: COLLECTOR,
    },
];

impl Generated {
    /// Returns the expected contents of the file.
    fn text(&self) -> Result<String> {
        Ok(format!(
            "{}{}\n",
            self.head,
            helpdesk::prints(self.command, self.settings)?.trim_end()
        ))
    }
}

pub(super) fn run(args: &[String]) -> Result {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(),
        ["--check"] => check(),
        _ => Err(Failure::new("`generate` takes nothing or `--check`")),
    }
}

fn write() -> Result {
    for file in &GENERATED {
        let path = workspace::root().join(file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        std::fs::write(&path, file.text()?).context(|| format!("writing {}", file.path))?;
        println!("{}", file.path);
    }
    Ok(())
}

/// The check in the gate.
pub(super) fn check() -> Result {
    if !HELPDESK_IS_READY {
        println!(
            "generated files: NOT CHECKED, the helpdesk is not ready (HELPDESK_IS_READY in xtask/src/contract/mod.rs)"
        );
        return Ok(());
    }
    let mut stale = Vec::new();
    for file in &GENERATED {
        let now = file.text()?;
        match workspace::read(file.path) {
            Ok(committed) if committed == now => {}
            Ok(committed) => stale.push(format!(
                "{}: {}",
                file.path,
                first_difference(&committed, &now)
            )),
            Err(failure) => stale.push(failure.to_string()),
        }
    }
    Failure::unless_empty(
        "generated files are not what the code prints; run `cargo xtask generate`",
        &stale,
    )?;
    println!(
        "{} generated files are what the code prints",
        GENERATED.len()
    );
    Ok(())
}
