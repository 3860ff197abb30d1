//! Applies the rules to all modules.

use std::path::{Path as FilePath, PathBuf};

use crate::layout::{Layer, Layout};
use crate::manifest::Manifest;
use crate::resolve::{Resolver, Target};
use crate::tree::{Module, Tree};
use crate::use_tree::{Import, Path};
use crate::{Finding, Report, Rule};

pub(crate) fn apply(
    folder: &FilePath,
    manifest: &Manifest,
    tree: &Tree,
    layout: &Layout,
) -> Report {
    let checker = Checker {
        resolver: Resolver { tree, manifest },
        layout,
    };
    let mut findings = Vec::new();
    for module in &tree.modules {
        let file = module.file.strip_prefix(folder).unwrap_or(&module.file);
        findings.extend(checker.module(module).into_iter().map(|finding| Finding {
            file: file.to_owned(),
            ..finding
        }));
    }
    findings.sort();
    findings.dedup();
    let domains = layout
        .domains
        .iter()
        .map(|path| Target::Own(path.clone()).to_string());
    Report {
        modules: tree.modules.len(),
        domains: domains.collect(),
        findings,
    }
}

struct Checker<'a> {
    resolver: Resolver<'a>,
    layout: &'a Layout,
}

/// The module that imports.
struct Importer<'a> {
    path: &'a [String],
    domain: Option<&'a [String]>,
    layer: Layer,
}

impl Checker<'_> {
    fn module(&self, module: &Module) -> Vec<Finding> {
        let importer = Importer {
            path: &module.path,
            domain: self.layout.domain_of(&module.path),
            layer: self.layout.layer_of(&module.path),
        };
        if importer.domain.is_none() && importer.layer != Layer::SharedKernel {
            return Vec::new();
        }
        let scan = &module.scan;
        let mut findings = included_files(module);
        let mut reported: Vec<&str> = Vec::new();
        for import in scan.imports.iter().chain(&scan.extern_crates) {
            if let Some((rule, target)) = self.import(&importer, import) {
                reported.extend(import.name.as_deref());
                findings.push(finding(&import.path, import.glob, rule, target));
            }
        }
        for path in &scan.paths {
            // The import is reported, not each of its uses.
            let is_reported = path
                .segments
                .first()
                .is_some_and(|first| reported.contains(&first.as_str()));
            let targets = self.resolver.resolve(importer.path, path);
            let broken = targets
                .iter()
                .find_map(|target| Some((self.target(&importer, target, false)?, target)));
            if let Some((rule, target)) = broken.filter(|_| path.global || !is_reported) {
                findings.push(finding(path, false, rule, target.to_string()));
            }
        }
        findings
    }

    fn import(&self, importer: &Importer<'_>, import: &Import) -> Option<(Rule, String)> {
        for target in self.resolver.resolve_import(importer.path, import) {
            if let Some(rule) = self.target(importer, &target, import.glob) {
                let star = if import.glob { "::*" } else { "" };
                return Some((rule, format!("{target}{star}")));
            }
            if let Target::Own(path) = &target
                && import.glob
                && let Some(found) = self.glob(importer, path)
            {
                return Some(found);
            }
        }
        None
    }

    /// Checks each name that a glob brings into scope, except those of modules, which are checked
    /// where they are used.
    fn glob(&self, importer: &Importer<'_>, path: &[String]) -> Option<(Rule, String)> {
        let modules = self.resolver.tree.at(path);
        let names = modules
            .flat_map(|module| &module.scan.imports)
            .filter_map(|import| import.name.as_ref());
        names.into_iter().find_map(|name| {
            let item = [path, std::slice::from_ref(name)].concat();
            Some((
                self.own(importer, &item, false)?,
                Target::Own(item).to_string(),
            ))
        })
    }

    fn target(&self, importer: &Importer<'_>, target: &Target, glob: bool) -> Option<Rule> {
        match target {
            Target::Crate(path) => self.other_crate(importer, path),
            Target::Own(path) => self.own(importer, path, glob),
        }
    }

    fn other_crate(&self, importer: &Importer<'_>, path: &[String]) -> Option<Rule> {
        if !matches!(importer.layer, Layer::Domain | Layer::SharedKernel) {
            return None;
        }
        let name = path.first()?.as_str();
        let is_allowed = match name {
            "std" | "core" | "alloc" => true,
            "doyen" => path.get(1).is_some_and(|module| module == "domain"),
            name => self.resolver.manifest.domain_crates.contains(name),
        };
        (!is_allowed).then_some(Rule::DomainCrate)
    }

    fn own(&self, importer: &Importer<'_>, path: &[String], glob: bool) -> Option<Rule> {
        let Some(domain) = importer
            .domain
            .filter(|_| importer.layer != Layer::SharedKernel)
        else {
            return (!self.layout.is_shared(path)).then_some(Rule::DomainModule);
        };
        if importer.layer == Layer::Domain {
            let is_own = path
                .strip_prefix(domain)
                .is_some_and(|rest| is_in(rest, "domain"));
            return match self.layout.domain_of(path) {
                _ if is_own || self.layout.is_shared(path) => None,
                Some(other) if other == domain => Some(Rule::DomainLayer),
                Some(_) => Some(Rule::DomainDomain),
                None => Some(Rule::DomainModule),
            };
        }
        let is_elsewhere = |path: &[String]| self.other_domain(domain, path).is_some();
        self.resolver
            .behind(path, is_elsewhere)
            .iter()
            .find_map(|path| {
                if let Some(other) = self.other_domain(domain, path) {
                    return self
                        .is_private(other, path, glob)
                        .then_some(Rule::OtherDomain);
                }
                let rest = path.strip_prefix(domain)?;
                match importer.layer {
                    Layer::Api if is_in(rest, "infrastructure") => Some(Rule::ApiInfrastructure),
                    Layer::Infrastructure if is_in(rest, "api") => Some(Rule::InfrastructureApi),
                    _ => None,
                }
            })
    }

    /// The domain of the path, unless it is this one or one around or inside of it.
    fn other_domain(&self, domain: &[String], path: &[String]) -> Option<&[String]> {
        let other = self.layout.domain_of(path)?;
        (!other.starts_with(domain) && !domain.starts_with(other)).then_some(other)
    }

    /// Whether a path goes to a module of the other domain instead of an item that its `mod.rs`
    /// exports.
    fn is_private(&self, other: &[String], path: &[String], glob: bool) -> bool {
        let Some((first, rest)) = path[other.len()..].split_first() else {
            return glob;
        };
        let item = [other, std::slice::from_ref(first)].concat();
        let is_module = |path: &Vec<String>| self.resolver.tree.contains(path);
        let looks_like_module = !rest.is_empty() && !first.starts_with(char::is_uppercase);
        looks_like_module || self.resolver.behind(&item, |_| false).iter().any(is_module)
    }
}

fn is_in(path: &[String], layer: &str) -> bool {
    path.first().is_some_and(|first| first == layer)
}

fn included_files(module: &Module) -> Vec<Finding> {
    let scan = &module.scan;
    let attributes = scan.modules.iter().filter_map(|module| {
        Some((
            module.line,
            format!("#[path = \"{}\"]", module.path.as_ref()?),
        ))
    });
    let includes = scan
        .includes
        .iter()
        .map(|line| (*line, "include!".to_owned()));
    let found = attributes.chain(includes);
    found
        .map(|(line, import)| Finding {
            file: module.file.clone(),
            line,
            target: import.clone(),
            import,
            rule: Rule::IncludedFile,
        })
        .collect()
}

fn finding(path: &Path, glob: bool, rule: Rule, target: String) -> Finding {
    let global = if path.global { "::" } else { "" };
    let star = if glob { "::*" } else { "" };
    Finding {
        file: PathBuf::new(),
        line: path.line,
        import: format!("{global}{}{star}", path.segments.join("::")),
        target,
        rule,
    }
}
