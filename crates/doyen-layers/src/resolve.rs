//! Resolves paths to crates and modules, through aliases, globs and re-exports.

use std::collections::HashSet;

use crate::manifest::Manifest;
use crate::tree::Tree;
use crate::use_tree::{Import, Path};

/// What a path refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An item of another crate; the first name is that of the crate.
    Crate(Vec<String>),
    /// An item of the application, from the root of the crate.
    Own(Vec<String>),
}

impl std::fmt::Display for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Crate(path) => out.write_str(&path.join("::")),
            Self::Own(path) if path.is_empty() => out.write_str("crate"),
            Self::Own(path) => write!(out, "crate::{}", path.join("::")),
        }
    }
}

/// Crates of the language, and the framework.
const KNOWN_CRATES: [&str; 4] = ["std", "core", "alloc", "doyen"];

/// Maximum number of paths behind one path. A circle of re-exports would be endless.
const MAX_RE_EXPORTS: usize = 64;

pub(crate) struct Resolver<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) manifest: &'a Manifest,
}

/// The imports on the way to a name, which guard against a cycle.
type Visited<'a> = HashSet<*const Import>;

impl Resolver<'_> {
    /// Returns everything that a path in this module can refer to. Empty for local items, such as a
    /// variant of an enum. Several if functions of the module import different items of one name.
    pub(crate) fn resolve(&self, module: &[String], path: &Path) -> Vec<Target> {
        self.follow(module, path, false, &mut Visited::new())
    }

    /// As [`Resolver::resolve`], for the path of a `use` declaration.
    pub(crate) fn resolve_import(&self, module: &[String], import: &Import) -> Vec<Target> {
        self.import(module, import, &mut Visited::new())
    }

    /// Returns the paths behind this one: what the modules on the way re-export under its names.
    /// Does not look behind a path for which `stop` is true.
    pub(crate) fn behind(
        &self,
        path: &[String],
        stop: impl Fn(&[String]) -> bool,
    ) -> Vec<Vec<String>> {
        let mut known = vec![path.to_vec()];
        let mut next = 0;
        while let Some(path) = known.get(next).cloned() {
            next += 1;
            if stop(&path) {
                continue;
            }
            let depth = (0..path.len())
                .rev()
                .find(|depth| self.tree.contains(&path[..*depth]));
            let Some(depth) = depth.filter(|depth| !self.tree.contains(&path[..=*depth])) else {
                continue;
            };
            for target in self.named(&path[..depth], &path[depth], &mut Visited::new()) {
                if let Target::Own(mut target) = target {
                    target.extend_from_slice(&path[depth + 1..]);
                    if known.len() < MAX_RE_EXPORTS && !known.contains(&target) {
                        known.push(target);
                    }
                }
            }
        }
        known
    }

    fn import(&self, module: &[String], import: &Import, visited: &mut Visited<'_>) -> Vec<Target> {
        if !visited.insert(import) {
            return Vec::new();
        }
        self.follow(module, &import.path, true, visited)
    }

    fn follow(
        &self,
        module: &[String],
        path: &Path,
        is_import: bool,
        visited: &mut Visited<'_>,
    ) -> Vec<Target> {
        let Some((first, rest)) = path.segments.split_first() else {
            return Vec::new();
        };
        let extended = |target: Target| match target {
            Target::Crate(start) => Target::Crate([&start, rest].concat()),
            Target::Own(start) => Target::Own([&start, rest].concat()),
        };
        match first.as_str() {
            "crate" => vec![Target::Own(rest.to_vec())],
            "self" | "super" if !path.global => {
                let parents = path
                    .segments
                    .iter()
                    .take_while(|word| *word == "super" || *word == "self");
                let (up, read) = parents.fold((0, 0), |(up, read), word| {
                    (up + usize::from(word == "super"), read + 1)
                });
                let base = &module[..module.len().saturating_sub(up)];
                vec![Target::Own([base, &path.segments[read..]].concat())]
            }
            name => {
                let mut found = Vec::new();
                if !path.global {
                    found = self.named(module, name, visited);
                }
                if found.is_empty() {
                    found.extend(self.crate_named(name, path.global || is_import));
                }
                found.into_iter().map(extended).collect()
            }
        }
    }

    /// What a name in scope refers to: child modules, imports, names behind a glob.
    fn named(&self, module: &[String], name: &str, visited: &mut Visited<'_>) -> Vec<Target> {
        let child: Vec<String> = module
            .iter()
            .map(String::as_str)
            .chain([name])
            .map(str::to_owned)
            .collect();
        if self.tree.contains(&child) {
            return vec![Target::Own(child)];
        }
        let mut found = Vec::new();
        for import in self.tree.at(module).flat_map(|module| &module.scan.imports) {
            if import.name.as_deref() == Some(name) {
                found.extend(self.import(module, import, visited));
            } else if import.glob {
                for target in self.import(module, import, visited) {
                    if let Target::Own(target) = target
                        && self.tree.contains(&target)
                    {
                        found.extend(self.named(&target, name, visited));
                    }
                }
            }
        }
        found
    }

    fn crate_named(&self, name: &str, must_be_crate: bool) -> Option<Target> {
        let roots = self.tree.at(&[]).flat_map(|root| &root.scan.extern_crates);
        let mut aliases = roots.filter(|alias| alias.name.as_deref() == Some(name));
        if let Some(alias) = aliases.next() {
            return Some(match alias.path.segments.first().map(String::as_str) {
                Some("self" | "crate") | None => Target::Own(Vec::new()),
                Some(known) => Target::Crate(vec![known.to_owned()]),
            });
        }
        let is_crate = KNOWN_CRATES.contains(&name) || self.manifest.dependencies.contains(name);
        if !is_crate && name == self.manifest.name {
            return Some(Target::Own(Vec::new()));
        }
        // `use Status::Open` names a local enum.
        let is_lower = name.starts_with(|c: char| c.is_lowercase() || c == '_');
        (is_crate || must_be_crate && is_lower).then(|| Target::Crate(vec![name.to_owned()]))
    }
}
