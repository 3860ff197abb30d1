//! `cargo xtask advisories <folder>`: checks the locked packages against a checkout of the RustSec
//! advisory database (<https://github.com/rustsec/advisory-db>).
//!
//! Not a part of the gate: its result changes without a change here, and the gate only reaches
//! package registries. `docs/decisions/0007-licence-and-advisory-checks.md` says when to run it.

use std::path::Path;
use std::process::Command;

use semver::{Version, VersionReq};
use toml::{Table, Value};
use toolkit::process::output;
use toolkit::{Context, Failure, Result, workspace};

/// Advisories that do not apply, with the reason. The list may only shrink.
const IGNORED: [(&str, &str); 0] = [];

pub(super) fn run(args: &[String]) -> Result {
    let [folder] = args else {
        return Err(Failure::new(
            "name a checkout of the advisory database: `git clone https://github.com/rustsec/advisory-db`, \
             then `cargo xtask advisories advisory-db`",
        ));
    };
    let crates = Path::new(folder).join("crates");
    if !crates.is_dir() {
        return Err(Failure::new(format!(
            "{} does not exist: {folder} is no checkout of the advisory database",
            crates.display()
        )));
    }
    let date = output(Command::new("git").args(["-C", folder, "log", "-1", "--format=%cs"]));
    let date = date.map_or_else(
        |_| "an unknown day".to_owned(),
        |date| date.trim().to_owned(),
    );

    let packages = locked(&workspace::read("Cargo.lock")?)?;
    let (mut findings, mut read) = (Vec::new(), 0);
    for (name, version) in &packages {
        for advisory in advisories(&crates.join(name))? {
            read += 1;
            if advisory.affects(version) && !IGNORED.iter().any(|(id, _)| *id == advisory.id) {
                findings.push(format!("{name} {version}: {}", advisory.describe()));
            }
        }
    }
    Failure::unless_empty(&format!("advisories (database of {date})"), &findings)?;
    println!(
        "{} packages, {read} advisories about them, none applies (database of {date}, {} ignored with a reason)",
        packages.len(),
        IGNORED.len()
    );
    Ok(())
}

/// Returns name and version of each package of a lock file that came from a registry.
fn locked(lock: &str) -> Result<Vec<(String, Version)>> {
    let lock: Table = lock.parse()?;
    let packages = lock
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let outside = packages.filter(|package| package.get("source").is_some());
    outside
        .map(|package| {
            Ok((
                text(package, "name")?.to_owned(),
                text(package, "version")?.parse()?,
            ))
        })
        .collect()
}

/// An advisory.
struct Advisory {
    id: String,
    /// `unmaintained`, `unsound`, `notice`; `None` for a vulnerability.
    informational: Option<String>,
    withdrawn: bool,
    title: String,
    patched: Vec<VersionReq>,
    unaffected: Vec<VersionReq>,
}

impl Advisory {
    /// Parses the TOML block at the start of the file, and the first heading.
    fn parse(text: &str) -> Result<Self> {
        let body = text
            .trim_start()
            .strip_prefix("```toml")
            .and_then(|rest| rest.split_once("\n```"));
        let (head, prose) =
            body.ok_or_else(|| Failure::new("it does not begin with a block of TOML"))?;
        let head: Table = head.parse()?;
        let advisory = head
            .get("advisory")
            .ok_or_else(|| Failure::new("no [advisory]"))?;
        let ranges = |key: &str| -> Result<Vec<VersionReq>> {
            let list = head
                .get("versions")
                .and_then(|versions| versions.get(key))
                .and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|range| Ok(range.parse()?))
                .collect()
        };
        Ok(Self {
            id: text_of(advisory, "id")?,
            informational: text_of(advisory, "informational").ok(),
            withdrawn: advisory.get("withdrawn").is_some(),
            title: prose
                .lines()
                .find_map(|line| line.strip_prefix("# "))
                .unwrap_or("")
                .trim()
                .to_owned(),
            patched: ranges("patched")?,
            unaffected: ranges("unaffected")?,
        })
    }

    fn affects(&self, version: &Version) -> bool {
        !self.withdrawn
            && !self
                .patched
                .iter()
                .chain(&self.unaffected)
                .any(|range| range.matches(version))
    }

    fn describe(&self) -> String {
        let kind = self.informational.as_deref().unwrap_or("vulnerability");
        let patched: Vec<String> = self.patched.iter().map(VersionReq::to_string).collect();
        let cure = if patched.is_empty() {
            "no patched version".to_owned()
        } else {
            format!("patched in {}", patched.join(" or "))
        };
        format!("{} ({kind}): {}; {cure}", self.id, self.title)
    }
}

/// Returns the advisories in the folder of a package; most packages have none.
fn advisories(folder: &Path) -> Result<Vec<Advisory>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path)?;
            found.push(Advisory::parse(&text).context(|| format!("reading {}", path.display()))?);
        }
    }
    Ok(found)
}

fn text<'a>(table: &'a Value, key: &str) -> Result<&'a str> {
    table
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::new(format!("no `{key}`")))
}

fn text_of(table: &Value, key: &str) -> Result<String> {
    text(table, key).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory(more: &str, patched: &str, unaffected: &str) -> Advisory {
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2000-0001\"\npackage = \"p\"\n{more}\n[versions]\npatched = [{patched}]\n\
             unaffected = [{unaffected}]\n```\n\n# It breaks\n\nLong story.\n"
        );
        Advisory::parse(&text).unwrap()
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_version_outside_every_good_range_is_affected() {
        let advisory = advisory("", "\">= 1.2.3\", \"^1.1.9\"", "\"< 1.0.0\"");
        assert!(advisory.affects(&version("1.1.8")));
        assert!(!advisory.affects(&version("1.1.9")));
        assert!(!advisory.affects(&version("2.0.0")));
        assert!(!advisory.affects(&version("0.9.0")));
        assert_eq!(
            advisory.describe(),
            "RUSTSEC-2000-0001 (vulnerability): It breaks; patched in >=1.2.3 or ^1.1.9"
        );
    }

    #[test]
    fn without_a_patch_every_version_is_affected_until_withdrawn() {
        assert!(advisory("informational = \"unmaintained\"", "", "").affects(&version("9.0.0")));
        assert!(!advisory("withdrawn = \"2025-01-01\"", "", "").affects(&version("9.0.0")));
    }

    #[test]
    fn a_file_of_another_form_is_an_error_not_a_pass() {
        assert!(Advisory::parse("# only prose").is_err());
        assert!(Advisory::parse("```toml\n[versions]\n```\n").is_err());
    }

    #[test]
    fn our_own_crates_are_not_looked_up() {
        let lock = "[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"theirs\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n";
        let packages = locked(lock).unwrap();
        assert_eq!(packages, [("theirs".to_owned(), version("1.0.0"))]);
    }
}
