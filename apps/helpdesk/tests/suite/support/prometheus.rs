//! A real Prometheus, and its tool for rules.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use doyen_test::{Program, Running};
use serde_json::Value;

/// A Prometheus that reads the metrics of one program each second. Killed when dropped.
pub(crate) struct Prometheus(Running, SocketAddr);

impl Prometheus {
    /// Starts it with these rules and this target.
    pub(crate) fn start(job: &str, target: SocketAddr, rules: &[PathBuf]) -> Self {
        let program = Program::new(&find("prometheus"));
        let config = program.folder().join("prometheus.yml");
        // JSON is YAML too.
        let text = serde_json::json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": rules,
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [target.to_string()]}]},
            ],
        });
        std::fs::write(&config, text.to_string()).unwrap();
        let running = program
            .arg(&format!("--config.file={}", config.display()))
            .arg("--storage.tsdb.path=data")
            .arg("--web.listen-address=127.0.0.1:0")
            .start();
        let address = running.wait_for(|| {
            let output = running.output();
            let after = output.split("msg=\"Listening on\" address=").nth(1)?;
            after.split_whitespace().next()?.parse().ok()
        });
        let address = address.unwrap_or_else(|| panic!("no Prometheus:\n{}", running.output()));
        Self(running, address)
    }

    /// Returns the series in the result of an expression.
    pub(crate) fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let encoded: String = expression
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        // With HTTP/1.0 the body is not in chunks.
        let request = format!("GET /api/v1/query?query={encoded} HTTP/1.0\r\n\r\n");
        let answer = self.0.try_exchange(self.1, &request);
        let answer = answer.map_err(|error| error.to_string())?;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let json: Value = serde_json::from_str(body).map_err(|_| answer.clone())?;
        match json["data"]["result"].as_array() {
            Some(series) => Ok(series.clone()),
            None => Err(json["error"].to_string()),
        }
    }

    pub(crate) fn output(&self) -> String {
        self.0.output()
    }
}

/// Runs `promtool` with an input. Returns its output, and whether it is satisfied.
pub(crate) fn promtool(arguments: &[&str], input: Option<&str>) -> (bool, String) {
    let mut child = Command::new(find("promtool"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        use std::io::Write as _;
        stdin
            .write_all(input.unwrap_or_default().as_bytes())
            .unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

fn find(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file: &PathBuf| Path::is_file(file));
    let found = found.unwrap_or_else(|| panic!("no {name}: `cargo xtask setup` installs it"));
    found.display().to_string()
}
