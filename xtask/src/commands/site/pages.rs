//! The table of contents: every page of `docs/`, in the order of the README of its folder.
//!
//! A heading in a README begins a part of the contents, and the links below it are its pages. A
//! page that its README does not link to would be missing from the site, so it is a finding.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toolkit::{Failure, Result, workspace};

use super::links::resolve;
use crate::commands::docs_paths;
use crate::commands::docs_paths::mentions::{What, mentions};

/// The first pages.
const FIRST: [&str; 2] = ["README.md", "docs/README.md"];

/// The last pages.
const LAST: [&str; 4] = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
];

/// A part of the contents: a title and its pages.
pub(super) struct Part {
    pub(super) title: String,
    pub(super) pages: Vec<Page>,
}

/// A page of the site.
pub(super) struct Page {
    /// Its path in the repository.
    pub(super) path: PathBuf,
    /// Its first heading.
    pub(super) title: String,
}

/// Returns the parts of the site. The first part has no title.
pub(super) fn parts() -> Result<Vec<Part>> {
    let mut parts = vec![Part {
        title: String::new(),
        pages: FIRST.into_iter().map(page).collect::<Result<_>>()?,
    }];
    let folders = linked(Path::new("docs/README.md"))?;
    for readme in folders.iter().filter(|path| path.ends_with("README.md")) {
        parts.extend(folder(readme)?);
    }
    parts.push(Part {
        title: "Project".to_owned(),
        pages: LAST.into_iter().map(page).collect::<Result<_>>()?,
    });

    let mut files = Vec::new();
    docs_paths::collect(&workspace::root(), Path::new("docs"), &mut files)?;
    Failure::unless_empty(
        "pages without a place in the site",
        &missing(&files, &parts),
    )?;
    Ok(parts)
}

/// Names the files that are in no part.
fn missing(files: &[PathBuf], parts: &[Part]) -> Vec<String> {
    let known: BTreeSet<&Path> = parts
        .iter()
        .flat_map(|part| &part.pages)
        .map(|page| page.path.as_path())
        .collect();
    let missing = files.iter().filter(|file| !known.contains(file.as_path()));
    missing
        .map(|file| {
            format!(
                "{} is not linked in the README of its folder",
                file.display()
            )
        })
        .collect()
}

/// Returns the parts of a folder: the README itself, then its pages below each of its headings.
fn folder(readme: &Path) -> Result<Vec<Part>> {
    let text = workspace::read(&readme.display().to_string())?;
    let first = page(readme)?;
    let mut parts = vec![Part {
        title: first.title.clone(),
        pages: vec![first],
    }];
    let mut listed = vec![readme.to_owned()];
    let mut sections: Vec<(usize, &str)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("## ") {
            sections.push((number + 1, heading));
        }
    }
    for (line, path) in linked_lines(readme, &text) {
        if path.parent() != readme.parent() || listed.contains(&path) {
            continue;
        }
        let section = sections.iter().rev().find(|(start, _)| *start < line);
        if let Some((_, heading)) = section
            && parts.last().is_some_and(|part| part.title != *heading)
        {
            parts.push(Part {
                title: (*heading).to_owned(),
                pages: Vec::new(),
            });
        }
        if let Some(part) = parts.last_mut() {
            part.pages.push(page(&path)?);
        }
        listed.push(path);
    }
    Ok(parts)
}

/// Returns the Markdown files that a page links to, in order.
fn linked(path: &Path) -> Result<Vec<PathBuf>> {
    let text = workspace::read(&path.display().to_string())?;
    Ok(linked_lines(path, &text)
        .into_iter()
        .map(|(_, path)| path)
        .collect())
}

/// The same with the numbers of the lines.
fn linked_lines(path: &Path, text: &str) -> Vec<(usize, PathBuf)> {
    let links = mentions(text)
        .into_iter()
        .filter_map(|mention| match mention.what {
            What::Link(target) => Some((mention.line, resolve(path, &target))),
            What::Path(_) | What::Command(_) => None,
        });
    links
        .filter(|(_, target)| {
            target
                .extension()
                .is_some_and(|extension| extension == "md")
        })
        .collect()
}

fn page(path: impl AsRef<Path>) -> Result<Page> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let text = workspace::read(&name)?;
    let title = text.lines().find_map(|line| line.strip_prefix("# "));
    match title {
        Some(title) => Ok(Page {
            path: path.to_owned(),
            title: title.to_owned(),
        }),
        None => Err(Failure::new(format!(
            "{name} has no heading: begin it with `# `"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_the_order_of_the_readme_of_their_folder() {
        let parts = parts().unwrap();
        let paths = |part: &Part| -> Vec<String> {
            let pages = part.pages.iter();
            pages.map(|page| page.path.display().to_string()).collect()
        };
        assert_eq!(paths(&parts[0]), FIRST);
        assert_eq!(paths(&parts[1]), ["docs/guide/README.md"]);
        assert_eq!(parts[2].title, "Requests and responses");
        assert_eq!(paths(&parts[2])[0], "docs/guide/first-steps.md");
        assert_eq!(paths(parts.last().unwrap()), LAST);
    }

    #[test]
    fn a_page_without_a_link_is_named() {
        let parts = parts().unwrap();
        let known = PathBuf::from("docs/guide/testing.md");
        let found = missing(&[known, PathBuf::from("docs/guide/lost.md")], &parts);
        assert_eq!(
            found,
            ["docs/guide/lost.md is not linked in the README of its folder"]
        );
    }
}
