//! The existing files and commands, and the check of a [`Mention`] against them.

use std::path::{Component, Path, PathBuf};

use toolkit::Result;
use toolkit::workspace;

use super::mentions::{Mention, What};
use crate::commands;

/// Further base folder of paths: the guide names files of the reference service.
const ALSO_FROM: [&str; 1] = ["apps/helpdesk"];

const CARGO: [&str; 16] = [
    "add", "bench", "build", "check", "clippy", "doc", "fmt", "init", "metadata", "install", "new",
    "nextest", "run", "test", "tree", "update",
];

/// Existing names.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    /// Names in the root that git ignores.
    ignored: Vec<String>,
    pub(super) crates: Vec<String>,
    packages: Vec<String>,
    aliases: Vec<String>,
}

impl Tree {
    pub(super) fn read() -> Result<Self> {
        let gitignore = workspace::read(".gitignore")?;
        let config: toml::Table = workspace::read(".cargo/config.toml")?.parse()?;
        let aliases = config.get("alias").and_then(toml::Value::as_table);
        let metadata = workspace::metadata(&["--no-deps"])?;
        let root = workspace::root();
        let (mut crates, mut packages) = (Vec::new(), Vec::new());
        for package in metadata["packages"].as_array().into_iter().flatten() {
            let name = package["name"].as_str().unwrap_or_default().to_owned();
            if Path::new(package["manifest_path"].as_str().unwrap_or_default())
                .starts_with(root.join("crates"))
            {
                crates.push(name.clone());
            }
            packages.push(name);
        }
        Ok(Self {
            root,
            ignored: gitignore
                .lines()
                .map(|line| line.trim_matches('/').to_owned())
                .filter(|line| !line.is_empty())
                .collect(),
            crates,
            packages,
            aliases: aliases
                .into_iter()
                .flat_map(toml::Table::keys)
                .cloned()
                .collect(),
        })
    }

    pub(super) fn objection(&self, document: &Path, mention: &Mention) -> Option<String> {
        let folder = document.parent().unwrap_or(Path::new(""));
        match &mention.what {
            What::Link(target) if self.exists(&folder.join(target)) => None,
            What::Link(target) => Some(format!("the link to {target} leads nowhere")),
            What::Path(path) => {
                let bases = [Path::new(""), folder]
                    .into_iter()
                    .chain(ALSO_FROM.map(Path::new));
                let bases: Vec<&Path> = bases.collect();
                let missing = alternatives(path)
                    .into_iter()
                    .find(|path| !bases.iter().any(|base| self.exists(&base.join(path))))?;
                Some(format!("`{missing}` is not there"))
            }
            What::Command(command) => self.command_objection(command),
        }
    }

    /// A pattern exists if the folder it begins in exists.
    fn exists(&self, path: &Path) -> bool {
        let fixed: PathBuf = path
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains('*'))
            .collect();
        let Some(inside) = normal(&fixed) else {
            return false;
        };
        let comes_and_goes = inside.components().next().is_some_and(|first| {
            self.ignored
                .iter()
                .any(|ignored| first.as_os_str() == ignored.as_str())
        });
        comes_and_goes || self.root.join(inside).exists()
    }

    fn command_objection(&self, command: &str) -> Option<String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let verb = *words.get(1)?;
        if !verb.starts_with(['-', '<', '+'])
            && !CARGO.contains(&verb)
            && !self.aliases.iter().any(|alias| alias == verb)
        {
            return Some(format!(
                "`cargo {verb}` is no command of cargo and no alias"
            ));
        }
        if verb == "xtask" {
            let name = words
                .get(2)
                .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))?;
            return (!commands::exists(name))
                .then(|| format!("`cargo xtask {name}` is no command"));
        }
        let cargo_words = words.iter().take_while(|word| **word != "--");
        let flag = cargo_words
            .clone()
            .zip(cargo_words.skip(1))
            .find(|(flag, _)| matches!(**flag, "-p" | "--package"));
        let package = flag
            .map(|(_, package)| *package)
            .filter(|package| !package.starts_with('<'))?;
        (!self.packages.iter().any(|known| known == package))
            .then(|| format!("`{command}` names no package of the workspace"))
    }
}

/// Resolves `.` and `..` of a path. Returns `None` if it leaves the repository.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir if parts.pop() => {}
            _ => return None,
        }
    }
    Some(parts)
}

/// Expands `a/{b,c}/d` to `a/b/d` and `a/c/d`.
fn alternatives(path: &str) -> Vec<String> {
    let parts = path
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (choices, after))) = parts else {
        return vec![path.to_owned()];
    };
    choices
        .split(',')
        .flat_map(|choice| alternatives(&format!("{before}{choice}{after}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::mentions::mentions;
    use super::*;

    /// A tree of the files of this crate.
    fn tree() -> Tree {
        Tree {
            root: workspace::root(),
            ignored: vec!["target".into()],
            crates: vec!["doyen-core".into()],
            packages: vec!["helpdesk".into()],
            aliases: vec!["xtask".into()],
        }
    }

    fn objections(document: &str, text: &str) -> Vec<String> {
        mentions(text)
            .iter()
            .filter_map(|mention| tree().objection(Path::new(document), mention))
            .collect()
    }

    #[test]
    fn a_missing_path_is_named_and_a_real_one_is_not() {
        let found = objections(
            "README.md",
            "See `xtask/src/main.rs` and `xtask/src/gone.rs`.",
        );
        assert_eq!(found, ["`xtask/src/gone.rs` is not there"]);
    }

    #[test]
    fn every_choice_in_braces_must_be_there() {
        assert!(
            objections(
                "README.md",
                "`xtask/src/{main,steps}.rs` and `xtask/src/commands/*.rs`"
            )
            .is_empty()
        );
        assert_eq!(
            objections("README.md", "`xtask/src/{main,gone}.rs`"),
            ["`xtask/src/gone.rs` is not there"]
        );
        assert_eq!(objections("README.md", "`xtask/gone/*.rs`").len(), 1);
    }

    #[test]
    fn what_is_no_path_of_ours_is_left_alone() {
        let text = "`/v1/tickets`, `application/json`, `GET /livez`, `<name>/x`, `target/debug`, `https://a.test/b`";
        assert_eq!(objections("README.md", text), Vec::<String>::new());
    }

    #[test]
    fn a_link_is_seen_from_its_document() {
        assert!(
            objections(
                "xtask/x.md",
                "[a](src/main.rs#top) [b](../Cargo.toml) [c](https://a.test) [d](#here)"
            )
            .is_empty()
        );
        assert_eq!(
            objections("xtask/x.md", "[a](main.rs)"),
            ["the link to main.rs leads nowhere"]
        );
        assert_eq!(
            objections("x.md", "[a](../outside.md)").len(),
            1,
            "outside of the repository"
        );
    }

    #[test]
    fn commands_are_looked_up_in_prose_and_in_blocks() {
        let text = "Run `cargo xtask ranks` or:\n\n```sh\n$ cargo xtask gone\ncargo run -p helpdesk -- -p x\ncargo run -p gone\n```\n`cargo deny check`";
        let found = objections("README.md", text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].contains("xtask gone")
                && found[1].contains("names no package")
                && found[2].contains("cargo deny")
        );
    }

    #[test]
    fn a_block_may_show_files_of_somewhere_else() {
        assert!(objections("README.md", "```text\n`src/orders/api.rs`\n[a](b)\n```\n").is_empty());
    }
}
