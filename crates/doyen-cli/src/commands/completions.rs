//! `doyen completions`: prints the completions of a shell.

use clap::CommandFactory as _;

use crate::args::{Args, Completions};
use crate::failure::{Result, say};

pub(super) fn run(args: &Completions) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "doyen", &mut script);
    say(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
