//! `cargo xtask attack <address>`: runs the attack suite in `tools/attack`, which documents the
//! arguments.

use toolkit::Result;
use toolkit::process::run_package;

pub(super) fn run(args: &[String]) -> Result {
    run_package("attack", args)
}
