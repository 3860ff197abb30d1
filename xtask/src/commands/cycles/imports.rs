//! The import graph of the files of a crate.

use std::collections::{BTreeMap, BTreeSet};

use toolkit::Result;

use super::modules::{self, Module, Modules, Segments};

/// The Rust files of a crate by their path from its folder.
pub(super) type Sources = BTreeMap<String, String>;

/// The files that each file imports from.
pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

/// Maximum number of re-exports that a path is followed through.
const MAX_REEXPORTS: usize = 16;

/// Returns the import graph of a crate.
pub(super) fn graph(sources: &Sources) -> Result<Graph> {
    let mut graph = Graph::new();
    for root in ["src/lib.rs", "src/main.rs"] {
        if !sources.contains_key(root) {
            continue;
        }
        let mut modules = Modules::new();
        modules::read(sources, root, Segments::new(), &mut modules)?;
        let resolver = Resolver(&modules);
        for (path, module) in &modules {
            let targets = graph.entry(module.file.clone()).or_default();
            let mentioned = module
                .uses
                .values()
                .chain(&module.globs)
                .chain(&module.mentions);
            for target in
                mentioned.filter_map(|written| resolver.resolve(path, written, MAX_REEXPORTS))
            {
                let is_family = target.starts_with(path) || path.starts_with(target);
                let file = &modules[target].file;
                if !is_family && *file != module.file {
                    targets.insert(file.clone());
                }
            }
        }
    }
    Ok(graph)
}

struct Resolver<'a>(&'a Modules);

impl<'a> Resolver<'a> {
    /// Returns the module that defines what this path means in this module, or `None` for another
    /// crate's.
    fn resolve(&self, module: &[String], written: &[String], steps: usize) -> Option<&'a [String]> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = written.split_first()?;
        let joined = |before: &[String], after: &[String]| [before, after].concat();
        match first.as_str() {
            "crate" => self.find(rest, steps),
            "self" => self.find(&joined(module, rest), steps),
            "super" => {
                let (_, parent) = module.split_last()?;
                match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(parent, rest, steps),
                    _ => self.find(&joined(parent, rest), steps),
                }
            }
            _ if self.0.contains_key(&joined(module, &written[..1])) => {
                self.find(&joined(module, written), steps)
            }
            _ => {
                let imported = self.0[module]
                    .uses
                    .get(first)
                    .filter(|path| **path != written)?;
                self.resolve(module, &joined(imported, rest), steps)
            }
        }
    }

    /// Returns the module that defines the item at a path from the root of the crate.
    fn find(&self, path: &[String], steps: usize) -> Option<&'a [String]> {
        let depth = (1..=path.len())
            .take_while(|depth| self.0.contains_key(&path[..*depth]))
            .last()
            .unwrap_or(0);
        let (at, module): (_, &Module) = self.0.get_key_value(&path[..depth])?;
        let Some(name) = path.get(depth).filter(|name| !module.items.contains(*name)) else {
            return Some(at);
        };
        let rest = &path[depth + 1..];
        if let Some(imported) = module.uses.get(name) {
            let followed = self.resolve(at, &[imported, rest].concat(), steps);
            // An item of another crate counts as defined where it is re-exported.
            return Some(followed.unwrap_or(at));
        }
        let through = module.globs.iter().find_map(|glob| {
            let target = self.resolve(at, glob, steps)?;
            let has = self.0[target].items.contains(name) || self.0[target].uses.contains_key(name);
            let path = [target, &path[depth..]].concat();
            has.then(|| self.find(&path, steps.checked_sub(1)?))
                .flatten()
        });
        Some(through.unwrap_or(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(files: &[(&str, &str)], of: &str) -> Vec<String> {
        let sources = files
            .iter()
            .map(|(name, text)| (format!("src/{name}"), (*text).to_owned()));
        let graph = graph(&sources.collect()).unwrap();
        graph[&format!("src/{of}")].iter().cloned().collect()
    }

    #[test]
    fn every_kind_of_path_is_an_import() {
        let tree = |text: &'static str| {
            [
                ("lib.rs", "mod a; mod b; mod c;"),
                ("a.rs", text),
                ("b.rs", "pub struct B; pub fn b() {}"),
                ("c/mod.rs", "pub mod d;"),
                ("c/d.rs", "pub struct D;"),
            ]
        };
        for text in [
            "use crate::b::B;",
            "use super::b;",
            "use crate::{b::{self}, a::x as y};",
            "use crate::b::*;",
            "use crate::b::B as _;",
            "fn f() { crate::b::b(); }",
            "fn f(_: super::b::B) {}",
            "fn f() { println!(\"{}\", crate::b::b()); }",
            "macro_rules! m { () => { $crate::b::b() }; }",
        ] {
            assert_eq!(imports(&tree(text), "a.rs"), ["src/b.rs"], "{text}");
        }
        assert_eq!(imports(&tree("use crate::c::d;"), "a.rs"), ["src/c/d.rs"]);
        for text in [
            "use std::fmt; use b::B;",
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "#[cfg(all(test, unix))] use crate::b::B;",
            "impl A { #[cfg(test)] fn f() { crate::b::b() } }",
        ] {
            assert!(imports(&tree(text), "a.rs").is_empty(), "{text}");
        }
    }

    #[test]
    fn an_import_leads_to_the_file_that_defines_the_item() {
        let tree = |lib: &'static str| {
            [
                ("lib.rs", lib),
                ("a.rs", "use crate::T; use crate::b::T as U;"),
                ("b.rs", "mod c; pub use c::T; pub use bytes::Bytes;"),
                ("b/c.rs", "pub struct T;"),
            ]
        };
        for lib in ["mod a; mod b; pub use b::T;", "mod a; mod b; pub use b::*;"] {
            assert_eq!(imports(&tree(lib), "a.rs"), ["src/b/c.rs"], "{lib}");
        }
    }

    #[test]
    fn a_module_may_import_from_those_above_and_below_it() {
        let tree = [
            ("lib.rs", "mod a; pub struct L; pub use a::b::B;"),
            ("a.rs", "pub mod b; pub struct A; use b::B;"),
            ("a/b.rs", "use super::A; use crate::L; pub struct B;"),
        ];
        for file in ["lib.rs", "a.rs", "a/b.rs"] {
            assert!(imports(&tree, file).is_empty(), "{file}");
        }
    }
}
