//! Two linters of OpenAPI documents, with their configuration in `tools/`: no rule at `warn` or
//! above may report.

use std::process::Command;

use serde_json::Value;
use toolkit::process::output;
use toolkit::{Failure, Result, workspace};

use super::Subject;

/// Redocly: its rules for usable documents.
pub(super) fn redocly(subject: &Subject<'_>) -> Result<String> {
    let config = workspace::root().join("tools/redocly.yaml");
    let mut lint = subject.tools.npm("redocly");
    lint.arg("lint")
        .arg(&subject.document)
        .arg("--config")
        .arg(config);
    lint.args(["--format", "stylish", "--max-problems", "100"]);
    lint.env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .env("NO_COLOR", "1");
    output(&mut lint)?;
    Ok("no finding".to_owned())
}

/// Spectral: its OpenAPI rules and the OWASP API rules.
pub(super) fn spectral(subject: &Subject<'_>) -> Result<String> {
    let findings = workspace::tools()?.join("spectral-findings.json");
    let mut lint = subject.tools.npm("spectral");
    lint.arg("lint").arg(&subject.document);
    lint.arg("--ruleset")
        .arg(workspace::root().join("tools/spectral.yaml"));
    lint.args([
        "--format",
        "json",
        "--fail-severity",
        "warn",
        "--quiet",
        "--output",
    ])
    .arg(&findings);
    spectral_result(&mut lint, &findings)
}

fn spectral_result(lint: &mut Command, findings: &std::path::Path) -> Result<String> {
    let _ = std::fs::remove_file(findings);
    let ran = output(lint);
    let Ok(text) = std::fs::read_to_string(findings) else {
        let stated = ran?;
        return Err(Failure::new(format!(
            "Spectral wrote no list of findings\n{stated}"
        )));
    };
    let found: Vec<Value> = serde_json::from_str(&text)?;
    let lines: Vec<String> = found
        .iter()
        .filter(|finding| finding["severity"].as_u64() <= Some(WARN))
        .map(line)
        .collect();
    Failure::unless_empty("findings", &lines)?;
    ran?;
    Ok("no finding".to_owned())
}

/// Spectral's severities are numbers from 0 (error) to 3 (hint).
const WARN: u64 = 1;

fn line(finding: &Value) -> String {
    let path: Vec<String> = finding["path"]
        .as_array()
        .into_iter()
        .flatten()
        .map(segment)
        .collect();
    format!(
        "{} at {}: {}",
        segment(&finding["code"]),
        path.join(" > "),
        segment(&finding["message"])
    )
}

fn segment(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_one_line() {
        let finding = serde_json::json!({"code": "operation-description", "path": ["paths", "/a", "get", 0], "message": "Missing."});
        assert_eq!(
            line(&finding),
            "operation-description at paths > /a > get > 0: Missing."
        );
    }
}
