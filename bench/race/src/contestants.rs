//! The servers: name, build and command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use toolkit::process::{cargo, run};
use toolkit::{Context, Result, workspace};

/// Manifest of the other frameworks, a separate workspace with its own lock file.
const PEERS: &str = "bench/peers/Cargo.toml";
const FASTAPI: &str = "bench/peers/fastapi";

#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    program: Program,
    /// True if the server has the features that production requires, such as tokens and an access
    /// log.
    pub(crate) equipped: bool,
    /// True if the server supports the cases with a database.
    pub(crate) data: bool,
}

/// The program of a server.
#[derive(Debug)]
enum Program {
    /// `doyen-bench` with this argument.
    Doyen(&'static str),
    /// A program of `bench/peers`.
    Peer(&'static str),
    /// A module of `bench/peers/fastapi`.
    Python(&'static str),
}

pub(crate) const AXUM: &str = "axum";
pub(crate) const AXUM_USUAL: &str = "axum-usual";
pub(crate) const DOYEN_BARE: &str = "doyen-bare";
pub(crate) const DOYEN_FULL: &str = "doyen-full";
pub(crate) const FASTAPI_BARE: &str = "fastapi";
pub(crate) const FASTAPI_EQUIPPED: &str = "fastapi-equipped";

/// All servers in the order of the tables.
pub(crate) const CONTESTANTS: [Contestant; 9] = [
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
    pub(crate) fn is_python(&self) -> bool {
        matches!(self.program, Program::Python(_))
    }

    pub(crate) fn is_doyen(&self) -> bool {
        matches!(self.program, Program::Doyen(_))
    }

    /// Describes the command line.
    pub(crate) fn description(&self) -> String {
        match self.program {
            Program::Doyen(mode) => format!("doyen-bench {mode}"),
            Program::Peer(name) => format!("{name} of bench/peers"),
            Program::Python(module) => format!("uvicorn {module} in {FASTAPI}"),
        }
    }

    /// Returns the command that starts the server on this core and port. `taskset` replaces itself
    /// with the server, so the process id is that of the server.
    pub(crate) fn command(&self, core: usize, port: u16, python: &Path) -> Result<Command> {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(core.to_string());
        command.env("PORT", port.to_string());
        match self.program {
            Program::Doyen(mode) => {
                command.arg(doyen()?).arg(mode);
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

/// Returns the path of `doyen-bench`, which also creates the tokens.
pub(crate) fn doyen() -> Result<PathBuf> {
    Ok(workspace::target()?.join("release/doyen-bench"))
}

/// Returns the target directory of the other frameworks.
fn peers() -> Result<PathBuf> {
    Ok(workspace::target()?.join("peers"))
}

/// Builds the programs of these servers.
pub(crate) fn build(contestants: &[&Contestant]) -> Result {
    let release = ["build", "--release", "--locked"];
    // Equipped servers need the tokens that it creates.
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
    // Always build all of them: cargo unifies the features of programs that are built together.
    println!("building the programs of {PEERS}");
    run(cargo()
        .args(release)
        .args(["--manifest-path", PEERS])
        .env("CARGO_TARGET_DIR", peers()?))
    .context(|| "building the other frameworks".into())
}
