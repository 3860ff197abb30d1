//! The units of systemd: the service, and the address that systemd can open for it.

use std::collections::BTreeMap;
use std::process::Command;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Result, workspace};

use super::target::{self, Target};
use super::{Checks, seconds};

const FILE: &str = "deploy/systemd/helpdesk.service";
const SOCKET: &str = "deploy/systemd/helpdesk.socket";
/// Where the unit expects the program.
const PROGRAM: &str = "/usr/local/bin/helpdesk";

pub(super) fn check(checks: &mut Checks) -> Result {
    let unit = workspace::read(FILE)?;
    let of = |key: &str| {
        let mut lines = unit.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
    };
    let set = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    let mut environment: BTreeMap<String, String> = set
        .filter_map(|set| set.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    // From the file that the operator writes.
    for (name, value) in [
        ("APP_AUTH__ISSUER", "https://helpdesk.example.com"),
        ("APP_AUTH__EMAIL__VERIFY", "false"),
        ("APP_MAIL__TRANSPORT", "none"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let credential = of("LoadCredential").and_then(|all| Some(all.split_once(':')?.0.to_owned()));
    let key = environment.get("APP_AUTH__SIGNING_KEY_FILE").cloned();
    let key = key.and_then(|path| path.strip_prefix("%d/").map(str::to_owned));
    checks.equal("the credential", key, credential);
    let address = environment.get("APP_SERVER__BIND").cloned();
    let socket = workspace::read(SOCKET)?;
    let mut lines = socket.lines();
    let opened = lines.find_map(|line| line.strip_prefix("ListenStream=").map(str::to_owned));
    checks.equal("the address of the socket", opened, address);
    let target = Target {
        name: FILE,
        environment,
        grace: of("TimeoutStopSec"),
        secrets: "%d",
    };
    target::check(&target, checks)?;
    checks.equal("the type", of("Type"), Some("notify".to_owned()));
    let watched = of("WatchdogSec").as_deref().and_then(seconds);
    checks.expect(watched.is_some(), format!("{FILE}: no watchdog"));
    verify(&unit, &socket, checks)
}

/// Lets systemd read the units, with the program where it was built.
fn verify(unit: &str, socket: &str, checks: &mut Checks) -> Result {
    const TOOL: &str = "systemd-analyze";
    if find(&[TOOL]).is_none() {
        system::install(TOOL, &["systemd"])?;
    }
    let copy = workspace::tools()?.join("helpdesk.service");
    let program = checks.helpdesk.display().to_string();
    std::fs::write(&copy, unit.replace(PROGRAM, &program))?;
    let socket_copy = copy.with_extension("socket");
    std::fs::write(&socket_copy, socket)?;
    checks.succeeds(
        FILE,
        Command::new(TOOL)
            .args(["verify", "--man=no"])
            .args([copy, socket_copy]),
    );
    Ok(())
}
