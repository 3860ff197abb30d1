//! `cargo xtask features`: the facade compiles with the combinations of features that can differ.
//!
//! Checked are no feature and each feature alone; clippy has checked all together. That finds code
//! that needs a feature it does not name, because it fails where its own feature is alone.
//! `--pairs` checks all but one and each pair as well, which takes hours: code of two features
//! together fails where the feature that it lacks is the only one left out.

use std::collections::{BTreeMap, BTreeSet};

use toolkit::process::{cargo, output, run as run_command};
use toolkit::{Failure, Result, workspace};

/// The crate whose features a user switches.
const FACADE: &str = "crates/doyen/Cargo.toml";

/// A database must be SQLite or PostgreSQL: combinations with neither get SQLite.
const DATABASES: [&str; 2] = ["sqlite", "postgres"];

/// What an application without features must not compile.
const ONLY_WITH_FEATURES: [&str; 21] = [
    "sea-orm",
    "sqlx",
    "argon2",
    "lettre",
    "redis",
    "reqwest",
    "zstd",
    "brotli",
    "async-nats",
    "tokio-rustls",
    "object_store",
    "doyen-data",
    "doyen-accounts",
    "doyen-console",
    "doyen-evidence",
    "doyen-files",
    "doyen-migration-lint",
    "squawk-linter",
    "doyen-otlp",
    "doyen-outbound",
    "doyen-webhooks",
];

/// What an application that uses SQLite alone must not compile.
const POSTGRES: [&str; 4] = [
    "sqlx-postgres",
    "tokio-postgres",
    "rustls-tokio-postgres",
    "squawk-linter",
];

type Combination = BTreeSet<String>;

pub(super) fn run(args: &[String]) -> Result {
    let pairs = match args {
        [] => false,
        [flag] if flag == "--pairs" => true,
        _ => return Err(Failure::new("it takes `--pairs` or nothing")),
    };
    let features = Features::parse(&workspace::read(FACADE)?)?;
    let combinations = features.combinations(pairs);
    for combination in &combinations {
        let names: Vec<&str> = combination.iter().map(String::as_str).collect();
        let names = names.join(",");
        println!(
            "doyen with {}",
            if names.is_empty() {
                "no feature"
            } else {
                &names
            }
        );
        run_command(
            cargo()
                .args(["check", "--quiet", "--locked", "--package", "doyen"])
                .args(["--no-default-features", "--features", &names]),
        )?;
    }
    println!("doyen: {} combinations of features", combinations.len());
    nothing_more_than_needed()
}

/// The features of the facade, each with those it switches on, directly or not.
struct Features(BTreeMap<String, Combination>);

impl Features {
    fn parse(manifest: &str) -> Result<Self> {
        let manifest: toml::Table = manifest.parse()?;
        let table = manifest.get("features").and_then(toml::Value::as_table);
        let mut all: BTreeMap<String, Combination> = table
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "default")
            .map(|(name, needs)| {
                let needs = needs.as_array().into_iter().flatten();
                let needs = needs.filter_map(toml::Value::as_str).map(str::to_owned);
                (name.clone(), needs.chain([name.clone()]).collect())
            })
            .collect();
        if all.is_empty() {
            return Err(Failure::new(format!("{FACADE} has no features")));
        }
        let direct = all.clone();
        for needs in all.values_mut() {
            needs.retain(|name| direct.contains_key(name));
            // Chains are shorter than the list.
            for _ in 0..direct.len() {
                let more = needs.iter().flat_map(|name| &direct[name]).cloned();
                let more: Vec<String> = more.filter(|name| direct.contains_key(name)).collect();
                needs.extend(more);
            }
        }
        Ok(Self(all))
    }

    /// The combinations to check. Two that switch on the same features are one.
    fn combinations(&self, pairs: bool) -> BTreeSet<Combination> {
        let mut all = BTreeSet::from([Combination::new()]);
        for (name, needs) in &self.0 {
            all.insert(self.complete(needs.clone()));
            if pairs {
                let others = self.0.iter().filter(|(_, needs)| !needs.contains(name));
                let others = others.map(|(other, _)| other.clone()).collect();
                all.insert(self.complete(others));
                for others in self.0.values() {
                    all.insert(self.complete(needs | others));
                }
            }
        }
        all
    }

    /// Adds SQLite if there is a database of no kind.
    fn complete(&self, mut combination: Combination) -> Combination {
        if combination.contains("database")
            && !DATABASES.iter().any(|kind| combination.contains(*kind))
        {
            combination.extend(self.0.get("sqlite").into_iter().flatten().cloned());
        }
        combination
    }
}

/// Checks the dependencies of an application without features, and of one that uses SQLite alone.
fn nothing_more_than_needed() -> Result {
    without("doyen", &["--no-default-features"], &ONLY_WITH_FEATURES)?;
    without("doyen", &[], &POSTGRES)?;
    without("doyen-test", &["--no-default-features"], &POSTGRES)
}

/// Checks that a package with these features does not compile these crates.
fn without(package: &str, features: &[&str], unwanted: &[&str]) -> Result {
    let tree = output(
        cargo()
            .args([
                "tree",
                "--locked",
                "--package",
                package,
                "--edges",
                "normal",
            ])
            .args(features)
            .args(["--prefix", "none", "--format", "{p}"]),
    )?;
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let found: Vec<String> = unwanted
        .iter()
        .filter(|name| names.contains(*name))
        .map(|name| format!("{package} {}: {name}", features.join(" ")))
        .collect();
    println!("{package} {}: {} crates", features.join(" "), names.len());
    Failure::unless_empty("compiled without a feature that needs it", &found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        [features]
        default = ["sqlite"]
        database = ["dep:data"]
        sqlite = ["database", "app/sqlite"]
        users = ["database", "mail"]
        mail = []
    "#;

    fn shown(combinations: &BTreeSet<Combination>) -> Vec<String> {
        let show = |one: &Combination| one.iter().cloned().collect::<Vec<_>>().join("+");
        combinations.iter().map(show).collect()
    }

    #[test]
    fn none_and_each_alone() {
        // `database` alone is the same as `sqlite` alone, and `users` need `mail`.
        let features = Features::parse(MANIFEST).unwrap();
        assert_eq!(
            shown(&features.combinations(false)),
            ["", "database+mail+sqlite+users", "database+sqlite", "mail",]
        );
    }

    #[test]
    fn pairs_and_all_but_one_are_added_on_request() {
        let features = Features::parse("[features]\na = []\nb = []\nc = []\nd = []\n").unwrap();
        assert_eq!(features.combinations(false).len(), 1 + 4);
        assert_eq!(features.combinations(true).len(), 1 + 4 + 4 + 6);
    }

    #[test]
    fn no_list_is_not_an_empty_list() {
        assert!(Features::parse("[package]\nname = \"x\"\n").is_err());
    }
}
