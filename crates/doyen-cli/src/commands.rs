//! The commands, one file each.

mod add_field;
mod client;
mod completions;
mod dev;
mod doctor;
mod domain;
mod migration;
mod new;
mod openapi;

use crate::args::{Command, Generate, Openapi};
use crate::failure::Result;

/// Runs a command.
pub(crate) fn run(command: Command) -> Result {
    match command {
        Command::New(args) => new::run(&args),
        Command::Generate(Generate::Domain(args)) => domain::run(&args),
        Command::Generate(Generate::Field(args)) => add_field::run(&args),
        Command::Generate(Generate::Migration(args)) => migration::run(&args),
        Command::Dev(args) => dev::run(&args),
        Command::Client(args) => client::run(&args),
        Command::Openapi(Openapi::Diff(args)) => openapi::diff(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}
