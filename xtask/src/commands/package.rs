//! `cargo xtask package`: each crate in `crates/` can be packaged for a registry.
//!
//! - Its manifest has the [metadata](METADATA) that a registry shows.
//! - `cargo package` accepts it, for example because each dependency has a version.
//! - The package contains the [texts](TEXTS) for its readers, each file of the crate that git
//!   tracks, and each file that its Rust files include by a literal path.
//!
//! It does not compile the packages. They are written to the target directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use toolkit::process::{cargo, output};
use toolkit::{Context, Failure, Result, workspace};

use crate::commands::no_arguments;

/// Fields of `cargo metadata` that must have a value.
const METADATA: [&str; 6] = [
    "description",
    "license",
    "readme",
    "keywords",
    "categories",
    "rust_version",
];

/// Files at the root of each package. The licences are links to those of the project.
const TEXTS: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// What precedes the path of a file that the compiler reads.
const INCLUDES: [&str; 4] = ["include_str!(", "include_bytes!(", "include!(", "#[path = "];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let crates = crates()?;
    let folder = package(&crates)?;
    let mut findings = Vec::new();
    let mut files = 0;
    for member in &crates {
        let packaged = member.packaged_files(&folder)?;
        files += packaged.len();
        findings.extend(member.missing_metadata());
        findings.extend(member.missing_files(&packaged)?);
    }
    Failure::unless_empty("crates that cannot be published", &findings)?;
    println!(
        "{} crates: metadata is complete, {files} files are packaged",
        crates.len()
    );
    Ok(())
}

/// A crate in `crates/`.
struct Crate {
    name: String,
    folder: PathBuf,
    metadata: Value,
}

fn crates() -> Result<Vec<Crate>> {
    let home = workspace::root().join("crates");
    let mut metadata = workspace::metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array_mut().map(std::mem::take);
    let members = packages.into_iter().flatten().filter_map(|metadata| {
        let name = metadata["name"].as_str()?.to_owned();
        let folder = Path::new(metadata["manifest_path"].as_str()?).parent()?;
        let folder = folder.to_path_buf();
        folder.starts_with(&home).then_some(Crate {
            name,
            folder,
            metadata,
        })
    });
    Ok(members.collect())
}

/// Packages these crates. Returns the folder of the packages.
///
/// A package has no lock file, because cargo would look up crates with `publish = false` in the
/// registry for it.
fn package(crates: &[Crate]) -> Result<PathBuf> {
    let target = workspace::tools()?.join("package");
    let names = crates.iter().flat_map(|member| ["--package", &member.name]);
    output(
        cargo()
            .args(["package", "--locked", "--allow-dirty"])
            .args(["--no-verify", "--exclude-lockfile", "--target-dir"])
            .arg(&target)
            .args(names),
    )?;
    Ok(target.join("package"))
}

impl Crate {
    fn missing_metadata(&self) -> Vec<String> {
        let missing = METADATA.iter().filter(|field| match &self.metadata[field] {
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => true,
        });
        missing
            .map(|field| format!("{}: Cargo.toml has no `{field}`", self.name))
            .collect()
    }

    /// Returns the paths in the package, relative to the folder of the crate.
    fn packaged_files(&self, folder: &Path) -> Result<BTreeSet<PathBuf>> {
        let version = self.metadata["version"].as_str().unwrap_or_default();
        let root = format!("{}-{version}", self.name);
        let list = output(
            Command::new("tar")
                .arg("-tzf")
                .arg(folder.join(format!("{root}.crate"))),
        )?;
        let inside = list
            .lines()
            .filter_map(|path| Path::new(path).strip_prefix(&root).ok());
        Ok(inside.map(Path::to_path_buf).collect())
    }

    fn missing_files(&self, packaged: &BTreeSet<PathBuf>) -> Result<Vec<String>> {
        let tracked = output(
            Command::new("git")
                .args(["ls-files", "-z"])
                .current_dir(&self.folder),
        )?;
        let tracked = tracked.split_terminator('\0').map(PathBuf::from);
        let needed: BTreeSet<PathBuf> = tracked
            .filter(|path| self.folder.join(path).exists())
            .chain(TEXTS.map(PathBuf::from))
            .collect();
        let mut missing: Vec<String> = needed
            .difference(packaged)
            .map(|path| format!("{}: {} is not packaged", self.name, path.display()))
            .collect();
        for file in packaged.iter().filter(|file| is_rust(file)) {
            let path = self.folder.join(file);
            let source = std::fs::read_to_string(&path).context(|| path.display().to_string())?;
            let code = code(&source);
            let included = includes(&code).into_iter();
            missing.extend(
                included
                    .filter(|included| !self.contains(packaged, &path, included))
                    .map(|included| {
                        let name = file.display();
                        format!(
                            "{}: {name} includes {included}, which is not packaged",
                            self.name
                        )
                    }),
            );
        }
        Ok(missing)
    }

    /// Returns true if the package contains the file that a source file includes.
    fn contains(&self, packaged: &BTreeSet<PathBuf>, source: &Path, included: &str) -> bool {
        let Ok(path) = source.with_file_name(included).canonicalize() else {
            return false;
        };
        path.strip_prefix(&self.folder)
            .is_ok_and(|path| packaged.contains(path))
    }
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs")
}

/// Removes the lines that are comments.
fn code(source: &str) -> String {
    let lines = source.lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| [line, "\n"]).collect()
}

/// Returns the literal paths of the files that the code of a source file includes.
fn includes(code: &str) -> Vec<&str> {
    let starts = INCLUDES.iter();
    let rests = starts.flat_map(|start| code.split(start).skip(1));
    let literals = rests.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    literals.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_paths_are_found() {
        let source =
            "include_str!(\"a.txt\"); include_bytes!(\n    \"../b\"\n); #[path = \"c.rs\"] mod c;
                      include_bytes!(concat!(\"d\", $e));";
        assert_eq!(includes(&code(source)), ["a.txt", "../b", "c.rs"]);
    }

    #[test]
    fn missing_metadata_and_files_are_named() {
        let member = Crate {
            name: "xtask".into(),
            folder: workspace::root().join("xtask"),
            metadata: serde_json::json!({
                "description": "", "license": "MIT", "readme": null, "keywords": [],
                "categories": ["development-tools"], "rust_version": "1.0",
            }),
        };
        assert_eq!(
            member.missing_metadata(),
            [
                "xtask: Cargo.toml has no `description`",
                "xtask: Cargo.toml has no `readme`",
                "xtask: Cargo.toml has no `keywords`",
            ]
        );
        let packaged = BTreeSet::from([PathBuf::from("Cargo.toml")]);
        let missing = member.missing_files(&packaged).unwrap();
        for file in ["src/main.rs", "LICENSE-MIT"] {
            assert!(
                missing.contains(&format!("xtask: {file} is not packaged")),
                "{file}"
            );
        }
        assert!(!missing.iter().any(|line| line.contains("Cargo.toml")));
    }

    #[test]
    fn an_included_file_must_be_in_the_package() {
        let member = Crate {
            name: "xtask".into(),
            folder: workspace::root().join("xtask"),
            metadata: Value::Null,
        };
        let packaged = BTreeSet::from([PathBuf::from("src/steps.rs")]);
        let source = member.folder.join("src/main.rs");
        assert!(member.contains(&packaged, &source, "steps.rs"));
        assert!(!member.contains(&packaged, &source, "helpdesk.rs"));
        assert!(!member.contains(&packaged, &source, "../../README.md"));
        assert!(!member.contains(&packaged, &source, "no-such-file"));
    }
}
