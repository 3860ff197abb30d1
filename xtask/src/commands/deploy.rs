//! `cargo xtask deploy`: the files in `deploy` agree with the program and with each other.
//!
//! Containers and a cluster cannot be started here. What can be checked without them is:
//!
//! - the program starts with the settings of each file, in `prod` ([`target`]);
//! - the time that a supervisor waits is longer than a drain takes;
//! - ports, paths, users and names agree ([`compose`], [`kubernetes`], [`container`]);
//! - the configuration of the OpenTelemetry collector is connected ([`collector`]);
//! - the rules and the configuration of Prometheus are valid, as is the unit of systemd
//!   ([`mod@unit`]).

mod collector;
mod compose;
mod container;
mod kubernetes;
mod target;
mod unit;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use toolkit::process::output;
use toolkit::{Failure, Result, workspace};

use crate::commands::no_arguments;
use crate::helpdesk;
use crate::setup;

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let mut checks = Checks {
        tools: setup::prepare()?,
        helpdesk: helpdesk::build()?,
        passed: 0,
        findings: Vec::new(),
    };
    compose::check(&mut checks)?;
    kubernetes::check(&mut checks)?;
    container::check(&mut checks)?;
    unit::check(&mut checks)?;
    Failure::unless_empty("files in `deploy` do not agree", &checks.findings)?;
    println!(
        "the files in `deploy`: {} checks passed; neither a container nor a cluster was started",
        checks.passed
    );
    Ok(())
}

/// The findings so far.
struct Checks {
    tools: setup::Tools,
    /// The program.
    helpdesk: PathBuf,
    passed: usize,
    findings: Vec<String>,
}

impl Checks {
    /// Notes a finding unless the condition holds.
    fn expect(&mut self, holds: bool, finding: impl Into<String>) {
        match holds {
            true => self.passed += 1,
            false => self.findings.push(finding.into()),
        }
    }

    /// Notes a finding unless both values are equal and present.
    fn equal(&mut self, what: &str, left: Option<String>, right: Option<String>) {
        let holds = left.is_some() && left == right;
        self.expect(holds, format!("{what}: {left:?} and {right:?} differ"));
    }

    /// Notes the output of a program that fails.
    fn succeeds(&mut self, what: &str, command: &mut Command) -> Option<String> {
        let done = output(command);
        let text = done.as_ref().map_err(ToString::to_string).err();
        self.expect(
            done.is_ok(),
            format!("{what}: {}", text.unwrap_or_default()),
        );
        done.ok()
    }

    /// Reads the documents of a YAML file.
    fn yaml(&self, path: &str) -> Result<Vec<Value>> {
        const SCRIPT: &str = "import json, sys, yaml; \
            print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
        let mut python = self.tools.python("python");
        let text = output(
            python
                .args(["-c", SCRIPT])
                .arg(workspace::root().join(path)),
        )?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// A text or number, as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The elements of a list, none if it is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The number of seconds in `35s` or `5min`.
fn seconds(text: &str) -> Option<u64> {
    let units = [("min", 60), ("ms", 0), ("m", 60), ("s", 1), ("h", 3600)];
    let found = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    match found {
        Some((number, factor)) => Some(number.trim().parse::<u64>().ok()? * factor),
        None => text.parse().ok(),
    }
}

/// The port of an address or URL.
fn port(address: &str) -> Option<String> {
    let (_, after) = address.trim_end_matches('/').rsplit_once(':')?;
    let digits = after.split('/').next()?;
    digits.parse::<u16>().ok().map(|port| port.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ports_are_read() {
        assert_eq!(seconds("35s"), Some(35));
        assert_eq!(seconds("5min"), Some(300));
        assert_eq!(seconds("40"), Some(40));
        assert_eq!(seconds("soon"), None);
        assert_eq!(port("0.0.0.0:8000").as_deref(), Some("8000"));
        assert_eq!(
            port("http://127.0.0.1:8000/readyz").as_deref(),
            Some("8000")
        );
        assert_eq!(port("no port"), None);
    }
}
