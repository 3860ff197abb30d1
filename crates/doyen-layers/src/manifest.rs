//! Names and lists from the `Cargo.toml` of an application.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

use crate::Error;

/// The parts of a manifest that the check uses. Crates have the names that code uses for them.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Name of the library.
    pub(crate) name: String,
    /// Crates that the code can import.
    pub(crate) dependencies: BTreeSet<String>,
    /// Crates that a domain may import.
    pub(crate) domain_crates: BTreeSet<String>,
    /// Modules that all domains may import, such as `access`.
    pub(crate) shared_kernel: Vec<String>,
}

impl Manifest {
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let file = folder.join("Cargo.toml");
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text).map_err(|message| Error::Manifest { file, message }),
            Err(source) => Err(Error::Read { file, source }),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let root: Table = text
            .parse()
            .map_err(|error: toml::de::Error| error.to_string())?;
        let package = root.get("package").and_then(Value::as_table);
        let package = package.ok_or("there is no [package]")?;
        let library = root.get("lib").and_then(|lib| lib.get("name"));
        let name = library.or_else(|| package.get("name"));
        let name = name
            .and_then(Value::as_str)
            .ok_or("the package has no name")?;
        let settings = package.get("metadata").and_then(|all| all.get("doyen"));
        let list = |key: &str| strings(settings.and_then(|doyen| doyen.get(key)), key);
        let mut dependencies = BTreeSet::new();
        add_dependencies(&root, &mut dependencies);
        let targets = root.get("target").and_then(Value::as_table);
        for target in targets.into_iter().flat_map(Table::values) {
            target
                .as_table()
                .inspect(|target| add_dependencies(target, &mut dependencies));
        }
        Ok(Self {
            name: code_name(name),
            dependencies,
            domain_crates: list("domain-crates")?
                .iter()
                .map(|name| code_name(name))
                .collect(),
            shared_kernel: list("shared-kernel")?,
        })
    }
}

fn add_dependencies(holder: &Table, names: &mut BTreeSet<String>) {
    let listed = holder.get("dependencies").and_then(Value::as_table);
    names.extend(
        listed
            .into_iter()
            .flat_map(Table::keys)
            .map(|name| code_name(name)),
    );
}

fn strings(value: Option<&Value>, key: &str) -> Result<Vec<String>, String> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let names = value.as_array().into_iter().flatten().map(Value::as_str);
    let names: Option<Vec<&str>> = names.collect();
    match names {
        Some(names) if value.is_array() => Ok(names.into_iter().map(str::to_owned).collect()),
        _ => Err(format!(
            "`{key}` in [package.metadata.doyen] is not a list of strings"
        )),
    }
}

/// The name of a package in code.
fn code_name(package: &str) -> String {
    package.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn names_are_those_of_the_code() {
        let manifest = Manifest::parse(
            "[package]\nname = \"my-shop\"\n[package.metadata.doyen]\ndomain-crates = [\"big-decimal\"]\n\
             [dependencies]\nsea-orm = \"2\"\n[target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n\
             [dev-dependencies]\nproptest = \"1\"\n",
        );
        let manifest = manifest.unwrap();
        assert_eq!(manifest.name, "my_shop");
        assert!(manifest.dependencies.iter().eq(["libc", "sea_orm"]));
        assert!(manifest.domain_crates.iter().eq(["big_decimal"]));
        assert!(manifest.shared_kernel.is_empty());
    }

    #[test]
    fn a_list_of_something_else_is_an_error() {
        for wrong in ["\"chrono\"", "[1]"] {
            let text = format!(
                "[package]\nname = \"a\"\n[package.metadata.doyen]\nshared-kernel = {wrong}\n"
            );
            assert!(
                Manifest::parse(&text)
                    .unwrap_err()
                    .contains("shared-kernel")
            );
        }
    }
}
