//! `cargo xtask ci`: the whole gate. Steps of seconds come first, the tests last.

use toolkit::Result;
use toolkit::process::{cargo, run as run_command};

use crate::commands::{
    cycles, deploy, docs_paths, features, generate, instructions, language, layers, licences, msrv,
    no_arguments, package, ranks, site, test, unused,
};
use crate::steps::Steps;

/// One step of the gate.
struct Step {
    name: &'static str,
    run: fn() -> Result,
}

/// The gate, in order.
const STEPS: [Step; 18] = [
    Step {
        name: "oldest supported Rust",
        run: || msrv::run(&[]),
    },
    Step {
        name: "format",
        run: || run_command(cargo().args(["fmt", "--all", "--check"])),
    },
    Step {
        name: "ranks",
        run: || ranks::run(&[]),
    },
    Step {
        name: "layers",
        run: || layers::run(&[]),
    },
    Step {
        name: "import cycles",
        run: || cycles::run(&[]),
    },
    Step {
        name: "language",
        run: || language::run(&[]),
    },
    Step {
        name: "paths and commands in the docs",
        run: || docs_paths::run(&[]),
    },
    Step {
        name: "unused dependencies",
        run: || unused::run(&[]),
    },
    Step {
        name: "licences, sources, bans",
        run: || licences::run(&[]),
    },
    Step {
        name: "packages",
        run: || package::run(&[]),
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "documentation",
        run: documentation,
    },
    Step {
        name: "features",
        run: || features::run(&[]),
    },
    Step {
        name: "generated files",
        run: generate::check,
    },
    Step {
        name: "deployment files",
        run: || deploy::run(&[]),
    },
    Step {
        name: "site of the documentation",
        run: || site::run(&[]),
    },
    Step {
        name: "instructions of a request",
        run: instructions::check,
    },
    Step {
        name: "tests",
        run: test::everything,
    },
];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let mut steps = Steps::new(STEPS.len());
    for Step { name, run } in &STEPS {
        steps.step(name, run)?;
    }
    println!("the gate passed in {}", steps.elapsed());
    Ok(())
}

fn clippy() -> Result {
    let every = ["--locked", "--workspace", "--all-targets", "--all-features"];
    run_command(
        cargo()
            .args(["clippy", "--quiet"])
            .args(every)
            .args(["--", "--deny", "warnings"]),
    )
}

fn documentation() -> Result {
    let every = ["--locked", "--workspace", "--all-features", "--no-deps"];
    run_command(
        cargo()
            .args(["doc", "--quiet"])
            .args(every)
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}
