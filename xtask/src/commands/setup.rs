//! `cargo xtask setup`: finds or installs what the tests need, and prints where it is.

use toolkit::Result;

use super::no_arguments;
use crate::setup;

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    for line in setup::prepare()?.lines() {
        println!("{line}");
    }
    Ok(())
}
