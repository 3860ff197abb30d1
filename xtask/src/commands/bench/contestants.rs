//! Who races: what each is called, how it is built and started.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Context, Result};
use crate::process::{cargo, run};
use crate::workspace;

/// The manifest of those that are not Doyen: a workspace of its own, with a lock file of its own.
const PEERS: &str = "bench/peers/Cargo.toml";
const FASTAPI: &str = "bench/peers/fastapi";

#[derive(Debug)]
pub(super) struct Contestant {
    pub(super) name: &'static str,
    program: Program,
    /// Whether it does the duties of production: it wants a token with each request and writes a log.
    pub(super) equipped: bool,
    /// Whether it answers the cases that need a database.
    pub(super) data: bool,
}

/// What is started.
#[derive(Debug)]
enum Program {
    /// `doyen-bench` with this word.
    Doyen(&'static str),
    /// A program of `bench/peers`.
    Peer(&'static str),
    /// A module of `bench/peers/fastapi`.
    Python(&'static str),
}

pub(super) const AXUM: &str = "axum";
pub(super) const AXUM_USUAL: &str = "axum-usual";
pub(super) const DOYEN_BARE: &str = "doyen-bare";
pub(super) const DOYEN_FULL: &str = "doyen-full";
pub(super) const FASTAPI_BARE: &str = "fastapi";
pub(super) const FASTAPI_EQUIPPED: &str = "fastapi-equipped";

/// In the order of the tables: first those without duties.
pub(super) const CONTESTANTS: [Contestant; 9] = [
    bare("hyper", Program::Peer("hyper-bare")),
    bare(AXUM, Program::Peer("axum-bare")),
    bare("actix", Program::Peer("actix-bare")),
    bare("poem", Program::Peer("poem-bare")),
    bare(DOYEN_BARE, Program::Doyen("bare")),
    bare(FASTAPI_BARE, Program::Python("bare:app")),
    equipped(DOYEN_FULL, Program::Doyen("full")),
    equipped(AXUM_USUAL, Program::Peer("axum-usual")),
    equipped(FASTAPI_EQUIPPED, Program::Python("equipped:app")),
];

const fn bare(name: &'static str, program: Program) -> Contestant {
    Contestant {
        name,
        program,
        equipped: false,
        data: true,
    }
}

const fn equipped(name: &'static str, program: Program) -> Contestant {
    Contestant {
        name,
        program,
        equipped: true,
        data: true,
    }
}

impl Contestant {
    pub(super) fn is_python(&self) -> bool {
        matches!(self.program, Program::Python(_))
    }

    pub(super) fn is_doyen(&self) -> bool {
        matches!(self.program, Program::Doyen(_))
    }

    /// Its command line, for people.
    pub(super) fn says(&self) -> String {
        match self.program {
            Program::Doyen(word) => format!("doyen-bench {word}"),
            Program::Peer(name) => format!("{name} of bench/peers"),
            Program::Python(module) => format!("uvicorn {module} in {FASTAPI}"),
        }
    }

    /// Starts it on this port and on this core only. `taskset` becomes the server, so the process is the server's.
    pub(super) fn command(&self, core: usize, port: u16, python: &Path) -> Result<Command> {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(core.to_string());
        command.env("PORT", port.to_string());
        match self.program {
            Program::Doyen(word) => {
                command.arg(doyen()?).arg(word);
            }
            Program::Peer(name) => {
                command.arg(peers()?.join("release").join(name));
            }
            Program::Python(module) => {
                let fixed = [
                    "--no-access-log",
                    "--log-level",
                    "warning",
                    "--loop",
                    "uvloop",
                    "--http",
                    "httptools",
                ];
                command
                    .arg(python)
                    .args(["-m", "uvicorn", module, "--port"])
                    .arg(port.to_string())
                    .args(fixed)
                    .current_dir(workspace::root().join(FASTAPI));
            }
        }
        Ok(command)
    }
}

/// The program that is Doyen, and that makes the token for everybody.
pub(super) fn doyen() -> Result<PathBuf> {
    Ok(workspace::target()?.join("release/doyen-bench"))
}

/// The others have a target directory of their own, below ours.
fn peers() -> Result<PathBuf> {
    Ok(workspace::target()?.join("peers"))
}

/// Builds what these need.
pub(super) fn build(contestants: &[&Contestant]) -> Result {
    let release = ["build", "--release", "--locked"];
    // The equipped ones need the token that it makes.
    if contestants.iter().any(|one| one.is_doyen() || one.equipped) {
        println!("building doyen-bench");
        run(cargo()
            .args(release)
            .args(["--package", "doyen-bench", "--bin", "doyen-bench"]))?;
    }
    let is_peer = |one: &&Contestant| matches!(one.program, Program::Peer(_));
    if !contestants.iter().any(is_peer) {
        return Ok(());
    }
    // All of them, whoever races: cargo gives those that are built together the same features of what they share.
    println!("building the programs of {PEERS}");
    run(cargo()
        .args(release)
        .args(["--manifest-path", PEERS])
        .env("CARGO_TARGET_DIR", peers()?))
    .context(|| "building those who race against Doyen".into())
}
