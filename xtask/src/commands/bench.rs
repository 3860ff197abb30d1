//! `cargo xtask bench`: runs the comparison in `bench/race`; `bench/README.md` documents the
//! arguments.

use toolkit::Result;
use toolkit::process::run_package;

pub(super) fn run(args: &[String]) -> Result {
    run_package("race", args)
}
