//! A copy of the pages with the paths of the repository, rendered by mdBook.
//!
//! The Markdown in the repository stays as GitHub shows it. The copy differs in three ways: a
//! README is the index of its folder, a source file that a page links to becomes a page of its own,
//! and Rust blocks are marked `rs`, because mdBook hides lines of `rust` blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toolkit::process::output;
use toolkit::{Context, Failure, Result, workspace};

use super::links::resolve;
use super::pages::Part;
use crate::commands::docs_paths::mentions::{What, mentions};

/// Files of the site that are not part of `docs/`.
const SETTINGS: [&str; 2] = ["book.toml", "site.css"];

/// Extensions of source files that are names of languages too.
const LANGUAGES: [&str; 6] = ["rs", "toml", "json", "yaml", "sh", "html"];

/// Builds the site and returns its folder.
pub(super) fn build(mdbook: &Path, parts: &[Part]) -> Result<PathBuf> {
    let book = workspace::tools()?.join("site");
    if book.exists() {
        fs::remove_dir_all(&book).context(|| format!("removing {}", book.display()))?;
    }
    let copy = Copy {
        src: book.join("src"),
    };
    let pages: BTreeSet<&Path> = parts
        .iter()
        .flat_map(|part| &part.pages)
        .map(|page| page.path.as_path())
        .collect();
    let mut sources = BTreeSet::new();
    let mut findings = Vec::new();
    for page in &pages {
        copy.page(page, &pages, &mut sources, &mut findings)?;
    }
    Failure::unless_empty("links that have no page in the site", &findings)?;
    for source in &sources {
        copy.source(source)?;
    }
    copy.write(Path::new("SUMMARY.md"), summary(parts, &sources))?;
    for name in SETTINGS {
        let text = workspace::read(&format!("tools/site/{name}"))?;
        fs::write(book.join(name), text).context(|| format!("writing {name}"))?;
    }
    let log = output(Command::new(mdbook).arg("build").arg(&book))?;
    let site = book.join("html");
    if site.join("index.html").is_file() {
        Ok(site)
    } else {
        Err(Failure::new(format!(
            "mdBook has not written the site\n{log}"
        )))
    }
}

/// The contents in the form that mdBook reads.
fn summary(parts: &[Part], sources: &BTreeSet<PathBuf>) -> String {
    let mut text = "# Summary\n".to_owned();
    for part in parts {
        let item = if part.title.is_empty() {
            ""
        } else {
            let _ = write!(text, "\n# {}\n", part.title);
            "- "
        };
        text.push('\n');
        for page in &part.pages {
            let path = staged(&page.path);
            let _ = writeln!(text, "{item}[{}]({})", page.title, path.display());
        }
    }
    text.push_str("- [Source files]()\n");
    for source in sources {
        let (name, path) = (source.display(), as_page(source));
        let _ = writeln!(text, "  - [{name}]({})", path.display());
    }
    text
}

struct Copy {
    src: PathBuf,
}

impl Copy {
    /// Copies a page, and collects the source files that it links to.
    fn page(
        &self,
        page: &Path,
        pages: &BTreeSet<&Path>,
        sources: &mut BTreeSet<PathBuf>,
        findings: &mut Vec<String>,
    ) -> Result {
        let text = workspace::read(&page.display().to_string())?;
        let mut renamed = BTreeMap::new();
        for mention in mentions(&text) {
            let What::Link(link) = mention.what else {
                continue;
            };
            let target = resolve(page, &link);
            let file = workspace::root().join(&target);
            if pages.contains(target.as_path()) {
                if let Some(folder) = link.strip_suffix("README.md") {
                    renamed.insert(link.clone(), format!("{folder}index.md"));
                }
            } else if !file.is_file() || link.ends_with(".md") {
                findings.push(format!("{}:{}: {link}", page.display(), mention.line));
            } else if target
                .extension()
                .is_some_and(|extension| extension == "svg")
            {
                let bytes = fs::read(&file).context(|| format!("reading {}", file.display()))?;
                self.write(&target, bytes)?;
            } else {
                renamed.insert(link.clone(), format!("{link}.md"));
                sources.insert(target);
            }
        }
        self.write(&staged(page), rewrite(&text, &renamed))
    }

    /// Writes a page that shows a source file.
    fn source(&self, path: &Path) -> Result {
        let name = path.display();
        let text = workspace::read(&name.to_string())?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let language = extension.filter(|extension| LANGUAGES.contains(extension));
        let language = language.unwrap_or("text");
        let page = format!(
            "# `{name}`\n\n`````{language}\n{}\n`````\n",
            text.trim_end()
        );
        self.write(&as_page(path), page)
    }

    fn write(&self, path: &Path, text: impl AsRef<[u8]>) -> Result {
        let path = self.src.join(path);
        let folder = path.parent().unwrap_or(&self.src);
        fs::create_dir_all(folder).context(|| format!("making {}", folder.display()))?;
        fs::write(&path, text).context(|| format!("writing {}", path.display()))
    }
}

/// The path of a page in the copy: a README is the index of its folder.
fn staged(page: &Path) -> PathBuf {
    if page.ends_with("README.md") {
        page.with_file_name("index.md")
    } else {
        page.to_owned()
    }
}

fn as_page(source: &Path) -> PathBuf {
    PathBuf::from(format!("{}.md", source.display()))
}

/// Replaces the links outside of blocks, and the language of Rust blocks.
fn rewrite(text: &str, renamed: &BTreeMap<String, String>) -> String {
    let mut copy = String::with_capacity(text.len());
    let mut in_block = false;
    for line in text.lines() {
        let mut line = line.to_owned();
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            if in_block && line.trim() == "```rust" {
                line = line.replace("```rust", "```rs");
            }
        } else if !in_block {
            for (old, new) in renamed {
                for end in [')', '#'] {
                    line = line.replace(&format!("]({old}{end}"), &format!("]({new}{end}"));
                }
            }
        }
        copy.push_str(&line);
        copy.push('\n');
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_replaced_outside_of_blocks_only() {
        let renamed = BTreeMap::from([("a/README.md".to_owned(), "a/index.md".to_owned())]);
        let text = "[a](a/README.md) [b](a/README.md#c)\n```rust\n# x\n```\n```text\n[a](a/README.md)\n```\n";
        assert_eq!(
            rewrite(text, &renamed),
            "[a](a/index.md) [b](a/index.md#c)\n```rs\n# x\n```\n```text\n[a](a/README.md)\n```\n"
        );
    }
}
