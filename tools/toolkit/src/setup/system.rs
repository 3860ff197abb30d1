//! The package manager of the system, if this process may use it.

use std::process::Command;

use crate::process::{find, output, run, succeeds};
use crate::{Failure, Result};

/// Returns true if this process runs as root.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Installs Debian packages for `what`, as root or with a `sudo` that needs no password.
///
/// # Errors
///
/// Returns an error with the packages to install if `apt-get` is missing or not permitted.
pub fn install(what: &str, packages: &[&str]) -> Result {
    let wanted = packages.join(" ");
    let by_hand = format!(
        "{what} is missing. Install it (on Debian and Ubuntu: `sudo apt-get install {wanted}`) and try again"
    );
    if find(&["apt-get"]).is_none() {
        return Err(Failure::new(by_hand));
    }
    let sudo = if is_root() {
        false
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        true
    } else {
        return Err(Failure::new(by_hand));
    };
    println!("installing {what}: {wanted}");
    apt_get(sudo, &["update", "-qq"])?;
    let install = ["install", "-qq", "--yes", "--no-install-recommends"];
    apt_get(sudo, &[&install, packages].concat())
}

/// Runs `apt-get`. `sudo` clears the environment, so `env` sets the variables.
fn apt_get(sudo: bool, args: &[&str]) -> Result {
    let quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let words: Vec<&str> = if sudo {
        ["sudo", "-n"].into_iter().chain(quietly).collect()
    } else {
        quietly.to_vec()
    };
    run(Command::new(words[0]).args(&words[1..]).args(args))
}
