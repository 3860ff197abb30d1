//! The system's package manager: used when we may, named when we may not.

use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process::{find, output, run, succeeds};

/// Whether we are the superuser.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Installs Debian packages for `what`, as root or through a `sudo` that asks nothing.
///
/// # Errors
///
/// Without `apt-get`, or without the right to use it: says what to install by hand.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result {
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

/// `sudo` clears the environment, so the variables travel behind `env`.
fn apt_get(sudo: bool, args: &[&str]) -> Result {
    let quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let words: Vec<&str> = if sudo {
        ["sudo", "-n"].into_iter().chain(quietly).collect()
    } else {
        quietly.to_vec()
    };
    run(Command::new(words[0]).args(&words[1..]).args(args))
}
