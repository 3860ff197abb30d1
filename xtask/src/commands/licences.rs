//! `cargo xtask licences`: each dependency has an allowed licence, comes from a registry, and is
//! not banned.
//!
//! Checks every package that any feature on any platform can add.
//! `docs/decisions/0007-licence-and-advisory-checks.md` explains why this is not done by an
//! external tool.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};
use toolkit::process::{cargo, output};
use toolkit::{Failure, Result, workspace};

use crate::commands::no_arguments;

/// Licences that require no more than their text and a notice. One alternative of a package's
/// expression must be in this list.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    // As permissive as MIT, and requires no notice with a program.
    "BSL-1.0",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "CC0-1.0",
    // The text of certificates, not code.
    "CDLA-Permissive-2.0",
    // Copyleft by file: it obliges those who change the files of the package, not those who use it.
    "MPL-2.0",
];

/// Banned packages, also in tests.
const BANNED: [(&str, &str); 3] = [
    ("ring", "aws-lc-rs is the only source of cryptography"),
    (
        "openssl-sys",
        "it needs the OpenSSL of the system at build and at run time; TLS is rustls",
    ),
    ("native-tls", "TLS is rustls, the same on every platform"),
];

/// Packages whose types are in public interfaces: two versions compile, but their types do not
/// match.
const ONE_VERSION: [&str; 8] = [
    "axum", "http", "hyper", "rustls", "sea-orm", "sqlx", "tokio", "tracing",
];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let metadata = workspace::metadata(&["--all-features"])?;
    let packages: Vec<Package> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(Package::read)
        .collect();
    let outside: Vec<&Package> = packages
        .iter()
        .filter(|package| package.source.is_some())
        .collect();
    let mut findings: Vec<String> = outside
        .iter()
        .filter_map(|package| package.objection())
        .collect();
    findings.extend(unwanted(&versions(&tree()?)));
    Failure::unless_empty("dependencies that are not allowed", &findings)?;
    println!(
        "{} packages: licences allowed, from the registry, none banned",
        outside.len()
    );
    Ok(())
}

/// A package of the graph.
struct Package {
    name: String,
    licence: Option<String>,
    source: Option<String>,
}

impl Package {
    fn read(package: &Value) -> Self {
        let text = |key: &str| package[key].as_str().map(str::to_owned);
        let name = format!(
            "{} {}",
            package["name"].as_str().unwrap_or("?"),
            package["version"].as_str().unwrap_or("?")
        );
        Self {
            name,
            licence: text("license"),
            source: text("source"),
        }
    }

    /// Returns the reason to refuse it.
    fn objection(&self) -> Option<String> {
        if !self
            .source
            .as_deref()
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
        {
            return Some(format!(
                "{}: comes from {}, not from a registry",
                self.name,
                self.source.as_deref().unwrap_or("nowhere")
            ));
        }
        let Some(licence) = &self.licence else {
            return Some(format!("{}: states no licence", self.name));
        };
        match Expression::parse_mode(licence, ParseMode::LAX) {
            Err(error) => Some(format!(
                "{}: `{licence}` is no licence expression: {}",
                self.name, error.reason
            )),
            Ok(expression) if expression.evaluate(is_allowed) => None,
            Ok(_) => Some(format!(
                "{}: `{licence}` is not on the list of allowed licences",
                self.name
            )),
        }
    }
}

fn is_allowed(wanted: &LicenseReq) -> bool {
    ALLOWED.contains(&wanted.to_string().as_str())
}

/// Packages that cargo would build, as lines `name v1.2.3 (from)`. `cargo metadata` also lists
/// packages that no feature adds.
fn tree() -> Result<String> {
    let every = [
        "--workspace",
        "--all-features",
        "--target",
        "all",
        "--edges",
        "normal,build,dev",
    ];
    output(
        cargo()
            .args([
                "tree", "--quiet", "--locked", "--prefix", "none", "--format", "{p}",
            ])
            .args(every),
    )
}

fn versions(tree: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    versions
}

fn unwanted(versions: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let banned = BANNED
        .iter()
        .filter(|(name, _)| versions.contains_key(name));
    let banned = banned.map(|(name, reason)| {
        format!("{name}: {reason} (`cargo tree -i {name} --target all` shows what requires it)")
    });
    let doubled = ONE_VERSION
        .iter()
        .filter_map(|name| Some((name, versions.get(name).filter(|found| found.len() > 1)?)));
    let doubled =
        doubled.map(|(name, found)| format!("{name}: {} versions, {found:?}", found.len()));
    banned.chain(doubled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "registry+https://example.test/index";

    fn objection(licence: Option<&str>, source: &str) -> Option<String> {
        Package {
            name: "p 1.0.0".into(),
            licence: licence.map(str::to_owned),
            source: Some(source.to_owned()),
        }
        .objection()
    }

    #[test]
    fn one_way_through_is_enough() {
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(objection(Some(fine), REGISTRY), None, "{fine}");
        }
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        for bad in [
            "GPL-3.0-only",
            "MIT AND AGPL-3.0-only",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "whatever you like",
            "",
        ] {
            assert!(objection(Some(bad), REGISTRY).is_some(), "{bad}");
        }
        assert!(objection(None, REGISTRY).is_some());
        assert!(
            objection(Some("MIT"), "git+https://example.test/p")
                .unwrap()
                .contains("not from a registry")
        );
    }

    #[test]
    fn bans_and_doubles_are_found_in_a_tree() {
        let tree = "shop v0.1.0 (/shop)\nring v0.17.0\nhyper v1.2.0\nhyper v0.14.0 (*)\nserde v1.0.0\nserde v1.0.0 (*)\n";
        let found = unwanted(&versions(tree));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("ring: ") && found[1].starts_with("hyper: 2 versions"),
            "{found:?}"
        );
    }
}
