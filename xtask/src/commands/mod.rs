//! The list of commands. `cargo xtask help` prints it, and `docs-paths` looks commands up in it.

mod advisories;
mod attack;
mod bench;
mod ci;
mod contract;
mod cycles;
mod deploy;
mod docs_paths;
mod features;
mod generate;
mod instructions;
mod language;
mod layers;
mod licences;
mod msrv;
mod package;
mod ranks;
mod setup;
mod site;
mod soak;
mod test;
mod unused;

use toolkit::{Failure, Result};

/// A command: name, arguments, description.
struct Command {
    name: &'static str,
    takes: &'static str,
    does: &'static str,
    run: fn(&[String]) -> Result,
}

const COMMANDS: [Command; 22] = [
    Command {
        name: "setup",
        takes: "",
        does: "find or install what the tests need",
        run: setup::run,
    },
    Command {
        name: "test",
        takes: "[nextest arguments]",
        does: "setup, the contract gates, the doc examples, every test; with arguments: only nextest with these",
        run: test::run,
    },
    Command {
        name: "soak",
        takes: "",
        does: "the tests that the gate runs in a reduced form, with their full counts",
        run: soak::run,
    },
    Command {
        name: "ci",
        takes: "",
        does: "the whole gate, the same here and on a build machine",
        run: ci::run,
    },
    Command {
        name: "generate",
        takes: "[--check]",
        does: "write the generated files, or compare them",
        run: generate::run,
    },
    Command {
        name: "deploy",
        takes: "",
        does: "the files in `deploy` agree with the program and with each other",
        run: deploy::run,
    },
    Command {
        name: "ranks",
        takes: "",
        does: "each crate imports lower ranks only",
        run: ranks::run,
    },
    Command {
        name: "layers",
        takes: "",
        does: "the domains of the applications import only what they may",
        run: layers::run,
    },
    Command {
        name: "cycles",
        takes: "",
        does: "no import cycle inside a crate spans more than six files",
        run: cycles::run,
    },
    Command {
        name: "language",
        takes: "",
        does: "prose uses common phrases, and comments wrap at 100 columns",
        run: language::run,
    },
    Command {
        name: "docs-paths",
        takes: "",
        does: "paths, links and commands named in the docs exist",
        run: docs_paths::run,
    },
    Command {
        name: "site",
        takes: "",
        does: "build the documentation as a site, check its links, open every page in a browser",
        run: site::run,
    },
    Command {
        name: "unused",
        takes: "",
        does: "each dependency of a crate is named in its sources",
        run: unused::run,
    },
    Command {
        name: "licences",
        takes: "",
        does: "licences, sources and bans of every dependency",
        run: licences::run,
    },
    Command {
        name: "package",
        takes: "",
        does: "each crate can be packaged for a registry",
        run: package::run,
    },
    Command {
        name: "msrv",
        takes: "",
        does: "the oldest supported Rust is the one that runs the gate",
        run: msrv::run,
    },
    Command {
        name: "advisories",
        takes: "<folder>",
        does: "locked packages against a checkout of the RustSec advisory database",
        run: advisories::run,
    },
    Command {
        name: "contract",
        takes: "[document]",
        does: "the contract gates alone; with a document: only the linters, on it",
        run: contract::run,
    },
    Command {
        name: "attack",
        takes: "<address> [..]",
        does: "run the attack suite against a helpdesk whose data you do not need",
        run: attack::run,
    },
    Command {
        name: "bench",
        takes: "[--quick] [..]",
        does: "compare the cost of a request with other frameworks (bench/README.md)",
        run: bench::run,
    },
    Command {
        name: "features",
        takes: "[--pairs]",
        does: "the facade compiles with the combinations of features that can differ",
        run: features::run,
    },
    Command {
        name: "instructions",
        takes: "[--record]",
        does: "a request costs no more instructions than recorded (bench/README.md)",
        run: instructions::run,
    },
];

/// Runs the command with this name.
pub(crate) fn run(words: &[String]) -> Result {
    match words.split_first() {
        None => {
            help();
            Ok(())
        }
        Some((word, _)) if matches!(word.as_str(), "help" | "--help" | "-h") => {
            help();
            Ok(())
        }
        Some((name, args)) => match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => (command.run)(args),
            None => Err(Failure::new(format!(
                "there is no command `{name}`; `cargo xtask help` lists them"
            ))),
        },
    }
}

/// True if there is a command of this name.
fn exists(name: &str) -> bool {
    name == "help" || COMMANDS.iter().any(|command| command.name == name)
}

fn help() {
    println!("cargo xtask <command>\n");
    for Command {
        name, takes, does, ..
    } in &COMMANDS
    {
        println!("  {:32} {does}", format!("{name} {takes}"));
    }
}

/// Returns an error if there are arguments.
fn no_arguments(args: &[String]) -> Result {
    match args.first() {
        None => Ok(()),
        Some(word) => Err(Failure::new(format!(
            "this command takes no arguments, but was given `{word}`"
        ))),
    }
}
