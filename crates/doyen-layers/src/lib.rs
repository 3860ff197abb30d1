//! Checks the imports between the layers and the domains of an application.
//!
//! A domain is a folder with the layers `domain`, `api` and `infrastructure`. Dependencies point
//! inwards: `api` and `infrastructure` import `domain`, which imports neither. [`check`] reads the
//! source files of an application and reports each import that breaks one of the rules in [`Rule`].
//!
//! Two lists in the `Cargo.toml` of the application extend what a domain may import:
//!
//! ```toml
//! [package.metadata.doyen]
//! domain-crates = ["chrono"]  # in addition to `doyen::domain`, `std`, `core` and `alloc`
//! shared-kernel = ["access"]  # modules that all domains share, under the same rule
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | `manifest` | names and lists from `Cargo.toml` |
//! | `scan` | `use` declarations and paths in the tokens of a module |
//! | `use_tree` | expands `use a::{b, c::d}` |
//! | `token` | recognizes attributes, paths and items in a sequence of tokens |
//! | `attribute` | `#[cfg(test)]` and `#[path = ".."]` |
//! | `tree` | the modules of a crate and their files |
//! | `resolve` | what the first segment of a path refers to |
//! | `layout` | the domain and the layer of a module |
//! | `rules` | the rules |
//! | `report` | findings |
//!
//! The check works on tokens and does not expand macros. It sees every path that is written in a
//! macro call or a macro definition, but not a path that a macro creates. Code for tests only
//! (`#[cfg(test)]`) is exempt.

mod attribute;
mod error;
mod layout;
mod manifest;
mod report;
mod resolve;
mod rules;
mod scan;
mod token;
mod tree;
mod use_tree;

use std::path::Path;

pub use error::Error;
pub use report::{Finding, Report, Rule};

use layout::Layout;
use manifest::Manifest;
use tree::Tree;

/// Checks the application whose `Cargo.toml` is in this folder.
///
/// # Errors
///
/// Returns an error if the manifest or a source file cannot be read or parsed, or if the shared
/// kernel names a module that does not exist.
pub fn check(manifest_dir: &Path) -> Result<Report, Error> {
    let manifest = Manifest::read(manifest_dir)?;
    let tree = Tree::read(manifest_dir)?;
    let layout = Layout::new(&tree, &manifest)?;
    Ok(rules::apply(manifest_dir, &manifest, &tree, &layout))
}
