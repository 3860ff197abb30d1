//! `cargo xtask ranks`: a crate depends only on crates of a lower rank.
//!
//! Each crate in `crates/` states its rank in its `Cargo.toml`:
//!
//! ```toml
//! [package.metadata.doyen]
//! rank = 2
//! ```
//!
//! A crate depends on strictly lower ranks, so that engines are independent and there are no
//! cycles. Each heavy library is used by one crate only, so that it can be replaced in one place.
//! Development dependencies are not restricted.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toolkit::{Context, Failure, Result, workspace};

use crate::commands::no_arguments;

/// The only pair of one rank: the macros cannot be part of core, because a macro crate exports
/// nothing else, and types of core use them.
const SAME_RANK: (&str, &str) = ("doyen-core", "doyen-macros");

/// Libraries, the crates that may depend on them, and the reason.
const SOLE_USERS: [(&[&str], &[&str], &str); 3] = [
    (
        &["doyen-web", "docs_src"],
        &["axum"],
        "doyen-web is the only crate that serves HTTP/1 and HTTP/2; the guide mounts a router of axum",
    ),
    (
        &["doyen-web"],
        &["hyper", "hyper-util", "matchit"],
        "doyen-web is the only crate that serves HTTP/1 and HTTP/2",
    ),
    (
        &["doyen-data"],
        &["sea-orm", "sqlx"],
        "the Session hides the driver",
    ),
];

/// Names that the sources of core must not contain.
const NOT_IN_CORE: [&str; 1] = ["tokio"];

/// Crates that applications, the examples of the docs and other members outside `crates/` may use.
const PUBLIC: [&str; 1] = ["doyen"];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let renames = renames(&workspace::read("Cargo.toml")?)?;
    let mut members = Vec::new();
    for path in workspace::manifests()? {
        let name = path
            .strip_prefix(workspace::root())
            .unwrap_or(&path)
            .display()
            .to_string();
        let text = workspace::read(&name)?;
        members.push(Member::parse(&name, &text, &renames).context(|| name)?);
    }
    Failure::unless_empty("dependencies that climb", &violations(&members))?;
    println!(
        "{} crates: each depends on lower ranks only",
        members
            .iter()
            .filter(|member| member.is_in_crates())
            .count()
    );
    Ok(())
}

/// The facts about a member of the workspace.
struct Member {
    manifest: String,
    package: String,
    rank: Option<i64>,
    /// Normal and build dependencies: package name and line.
    dependencies: Vec<(String, usize)>,
}

impl Member {
    fn parse(manifest: &str, text: &str, renames: &BTreeMap<String, String>) -> Result<Self> {
        let document = DeTable::parse(text)?;
        let root = document.get_ref();
        let package = table(root, "package");
        let name = package
            .and_then(|package| string(package, "name"))
            .unwrap_or_default();
        let doyen = package
            .and_then(|package| table(package, "metadata"))
            .and_then(|metadata| table(metadata, "doyen"));
        let rank = doyen
            .and_then(|doyen| doyen.get("rank"))
            .and_then(|rank| rank.get_ref().as_integer()?.as_str().parse().ok());
        let mut member = Self {
            manifest: manifest.to_owned(),
            package: name.to_owned(),
            rank,
            dependencies: Vec::new(),
        };
        member.read_dependencies(root, text, renames);
        for target in table(root, "target")
            .into_iter()
            .flat_map(DeTable::values)
            .filter_map(as_table)
        {
            member.read_dependencies(target, text, renames);
        }
        Ok(member)
    }

    fn read_dependencies(
        &mut self,
        holder: &DeTable<'_>,
        text: &str,
        renames: &BTreeMap<String, String>,
    ) {
        for kind in ["dependencies", "build-dependencies"] {
            for (key, value) in table(holder, kind).into_iter().flatten() {
                let renamed = as_table(value).and_then(|value| string(value, "package"));
                let package = renamed.or_else(|| renames.get(&**key.get_ref()).map(String::as_str));
                let line = text[..key.span().start].lines().count().max(1)
                    + usize::from(text[..key.span().start].ends_with('\n'));
                self.dependencies
                    .push((package.unwrap_or(key.get_ref()).to_owned(), line));
            }
        }
    }

    fn is_in_crates(&self) -> bool {
        self.manifest.starts_with("crates/")
    }

    /// Returns the reason why this member may not depend on that package.
    fn objection(&self, package: &str, ranks: &BTreeMap<&str, i64>) -> Option<String> {
        if let Some((homes, _, reason)) = SOLE_USERS
            .iter()
            .find(|(_, libraries, _)| libraries.contains(&package))
            && !homes.contains(&self.package.as_str())
        {
            return Some(format!(
                "only {} may name {package}: {reason}",
                homes.join(", ")
            ));
        }
        if self.package == "doyen-core" && NOT_IN_CORE.contains(&package) {
            return Some(format!(
                "doyen-core contains types and ports, so it may not depend on {package}"
            ));
        }
        let theirs = *ranks.get(package)?;
        match self.rank {
            Some(ours) if theirs < ours || (self.package.as_str(), package) == SAME_RANK => None,
            Some(ours) => Some(format!(
                "{} has rank {ours} and may not depend on {package} of rank {theirs}",
                self.package
            )),
            None if PUBLIC.contains(&package) => None,
            None => Some(format!(
                "{} is outside `crates/`, so it uses `{}`, not {package}",
                self.package, PUBLIC[0]
            )),
        }
    }
}

/// Returns every forbidden dependency, with its line.
fn violations(members: &[Member]) -> Vec<String> {
    let ranks: BTreeMap<&str, i64> = members
        .iter()
        .filter_map(|member| Some((member.package.as_str(), member.rank?)))
        .collect();
    let mut found = Vec::new();
    for member in members {
        if member.is_in_crates() && member.rank.is_none() {
            found.push(format!(
                "{}: states no rank in [package.metadata.doyen]",
                member.manifest
            ));
        }
        for (package, line) in &member.dependencies {
            found.extend(
                member
                    .objection(package, &ranks)
                    .map(|why| format!("{}:{line}: {why}", member.manifest)),
            );
        }
    }
    found
}

/// Packages that the manifest of the workspace renames.
fn renames(root_manifest: &str) -> Result<BTreeMap<String, String>> {
    let document = DeTable::parse(root_manifest)?;
    let listed = table(document.get_ref(), "workspace")
        .and_then(|workspace| table(workspace, "dependencies"));
    let named = listed.into_iter().flatten();
    let renamed = named.filter_map(|(key, value)| {
        Some((
            key.get_ref().to_string(),
            string(as_table(value)?, "package")?.to_owned(),
        ))
    });
    Ok(renamed.collect())
}

fn table<'a, 'i>(holder: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    holder.get(key).and_then(as_table)
}

fn as_table<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Option<&'a DeTable<'i>> {
    value.get_ref().as_table()
}

fn string<'a>(holder: &'a DeTable<'_>, key: &str) -> Option<&'a str> {
    holder.get(key)?.get_ref().as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(manifest: &str, rank: Option<i64>, dependencies: &str) -> Member {
        let name = manifest.split('/').nth(1).unwrap();
        let rank = rank
            .map(|rank| format!("[package.metadata.doyen]\nrank = {rank}\n"))
            .unwrap_or_default();
        let text = format!("[package]\nname = \"{name}\"\n{rank}\n{dependencies}");
        Member::parse(
            manifest,
            &text,
            &BTreeMap::from([("web-server".into(), "axum".into())]),
        )
        .unwrap()
    }

    fn findings(manifest: &str, rank: Option<i64>, dependencies: &str) -> Vec<String> {
        violations(&[
            member(
                "crates/doyen-core/Cargo.toml",
                Some(0),
                "[dependencies]\ndoyen-macros.workspace = true",
            ),
            member("crates/doyen-macros/Cargo.toml", Some(0), ""),
            member("crates/doyen-auth/Cargo.toml", Some(2), ""),
            member(
                "crates/doyen/Cargo.toml",
                Some(4),
                "[dependencies]\ndoyen-auth.workspace = true",
            ),
            member(manifest, rank, dependencies),
        ])
    }

    #[test]
    fn the_workspace_passes() {
        assert_eq!(
            findings(
                "crates/doyen-test/Cargo.toml",
                Some(5),
                "[dependencies]\ndoyen.workspace = true"
            ),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_climbing_line_is_named() {
        let found = findings(
            "crates/doyen-web/Cargo.toml",
            Some(2),
            "[dependencies]\nserde = \"1\"\ndoyen = { path = \"../doyen\" }",
        );
        assert_eq!(
            found,
            [
                "crates/doyen-web/Cargo.toml:8: doyen-web has rank 2 and may not depend on doyen of rank 4"
            ]
        );
    }

    #[test]
    fn crates_of_one_rank_are_independent() {
        let found = findings(
            "crates/doyen-web/Cargo.toml",
            Some(2),
            "[dependencies]\ndoyen-auth.workspace = true",
        );
        assert_eq!(found.len(), 1, "{found:?}");
        let found = findings(
            "crates/doyen-macros2/Cargo.toml",
            Some(0),
            "[dependencies]\ndoyen-macros.workspace = true",
        );
        assert_eq!(
            found.len(),
            1,
            "the one exception is for doyen-core only: {found:?}"
        );
    }

    #[test]
    fn no_hiding_place_behind_a_target_a_build_script_or_another_name() {
        for hidden in [
            "[target.'cfg(unix)'.dependencies]\naxum = \"1\"",
            "[build-dependencies]\naxum = \"1\"",
            "[dependencies]\nserver = { package = \"axum\", version = \"1\" }",
            "[dependencies.server]\npackage = \"axum\"\nversion = \"1\"",
            "[dependencies]\nweb-server.workspace = true",
        ] {
            let found = findings("crates/doyen-auth2/Cargo.toml", Some(2), hidden);
            assert_eq!(found.len(), 1, "{hidden}: {found:?}");
            assert!(
                found[0].contains("may name axum: doyen-web is the only crate"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_test_may_see_all() {
        assert!(
            findings(
                "crates/doyen-web/Cargo.toml",
                Some(2),
                "[dev-dependencies]\ndoyen.workspace = true\nsqlx = \"1\""
            )
            .is_empty()
        );
    }

    #[test]
    fn core_names_no_runtime() {
        let core = member(
            "crates/doyen-core/Cargo.toml",
            Some(0),
            "[dependencies]\ntokio = \"1\"\nsqlx = \"1\"",
        );
        assert_eq!(violations(&[core]).len(), 2);
    }

    #[test]
    fn a_crate_without_a_rank_is_named() {
        let found = findings("crates/doyen-new/Cargo.toml", None, "");
        assert_eq!(
            found,
            ["crates/doyen-new/Cargo.toml: states no rank in [package.metadata.doyen]"]
        );
    }

    #[test]
    fn an_application_uses_the_facade() {
        assert!(
            findings(
                "apps/shop/Cargo.toml",
                None,
                "[dependencies]\ndoyen.workspace = true"
            )
            .is_empty()
        );
        let found = findings(
            "apps/shop/Cargo.toml",
            None,
            "[dependencies]\ndoyen-auth.workspace = true\nsqlx = \"1\"",
        );
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
