//! `cargo xtask ci`: the whole gate. Steps of seconds come first, the tests last.

use toolkit::process::{cargo, output, run as run_command};
use toolkit::{Failure, Result, workspace};

use crate::commands::{
    cycles, docs_paths, generate, instructions, language, layers, licences, msrv, no_arguments,
    package, ranks, test, unused,
};
use crate::steps::Steps;

/// The crate with the features for users.
const FACADE: &str = "crates/doyen/Cargo.toml";

/// One step of the gate.
struct Step {
    name: &'static str,
    run: fn() -> Result,
}

/// The gate, in order.
const STEPS: [Step; 16] = [
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
        name: "each feature alone",
        run: each_feature,
    },
    Step {
        name: "generated files",
        run: generate::check,
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

/// Checks the facade without features and with each feature alone: features only add, and clippy
/// has checked all together. A feature that needs a database gets SQLite.
fn each_feature() -> Result {
    let features = features(&workspace::read(FACADE)?)?;
    for feature in [String::new()].iter().chain(&features) {
        let only = if NEED_A_DATABASE.contains(&feature.as_str()) {
            format!("sqlite,{feature}")
        } else {
            feature.clone()
        };
        run_command(
            cargo()
                .args(["check", "--quiet", "--locked", "--package", "doyen"])
                .args(["--no-default-features", "--features", &only]),
        )?;
    }
    println!("doyen: no feature, {}", features.join(", "));
    nothing_more_than_needed()
}

/// Features that do not compile without a database.
const NEED_A_DATABASE: [&str; 4] = ["database", "accounts", "limits", "oidc"];

/// Packages that an application without features must not compile.
const ONLY_WITH_FEATURES: [&str; 9] = [
    "sea-orm",
    "sqlx",
    "argon2",
    "lettre",
    "redis",
    "reqwest",
    "doyen-data",
    "doyen-accounts",
    "doyen-console",
];

/// Checks the dependencies of an application without features.
fn nothing_more_than_needed() -> Result {
    let tree = output(
        cargo()
            .args([
                "tree",
                "--locked",
                "--package",
                "doyen",
                "--edges",
                "normal",
            ])
            .args([
                "--no-default-features",
                "--prefix",
                "none",
                "--format",
                "{p}",
            ]),
    )?;
    let names: std::collections::BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let unwanted: Vec<String> = ONLY_WITH_FEATURES
        .iter()
        .filter(|name| names.contains(*name))
        .map(|name| (*name).to_owned())
        .collect();
    println!("doyen without features: {} crates", names.len());
    Failure::unless_empty("compiled without a feature that needs it", &unwanted)
}

/// Returns the features of a manifest, without `default`.
fn features(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let features = manifest.get("features").and_then(toml::Value::as_table);
    let names: Vec<String> = features
        .into_iter()
        .flat_map(toml::Table::keys)
        .filter(|name| *name != "default")
        .cloned()
        .collect();
    if names.is_empty() {
        Err(Failure::new(format!("{FACADE} has no features")))
    } else {
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::features;

    #[test]
    fn the_list_comes_from_the_manifest() {
        assert_eq!(
            features("[features]\ndefault = [\"a\"]\na = []\nb = [\"a\"]\n").unwrap(),
            ["a", "b"]
        );
        assert!(
            features("[package]\nname = \"x\"\n").is_err(),
            "a missing list is an error"
        );
    }
}
