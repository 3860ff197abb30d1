//! Prometheus and `promtool`. Tests that need a server start their own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

const NAMES: [&str; 2] = ["prometheus", "promtool"];

pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(prometheus) = installed() {
        return Ok(prometheus);
    }
    system::install("Prometheus", &["prometheus"])?;
    stop_service();
    installed().ok_or_else(|| {
        Failure::new("Prometheus is installed, but `prometheus` or `promtool` is not on the PATH")
    })
}

fn installed() -> Option<PathBuf> {
    let [prometheus, promtool] = NAMES.map(|name| find(&[name]));
    promtool.and(prometheus)
}

/// The package starts a server, and again after each boot. Without systemd it does not, and this
/// fails.
fn stop_service() {
    let _ = Command::new("systemctl")
        .args(["disable", "--now", "prometheus"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
