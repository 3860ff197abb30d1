//! The result of a check.

use std::fmt;
use std::path::PathBuf;

/// The result of a check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Number of modules that were checked.
    pub modules: usize,
    /// Paths of the domains, such as `crate::orders`.
    pub domains: Vec<String>,
    /// Imports that break a rule, by file and line.
    pub findings: Vec<Finding>,
}

/// An import that breaks a rule. Its `Display` is a message of one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// The file, relative to the folder of the manifest.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The import as written.
    pub import: String,
    /// The full path of the import.
    pub target: String,
    /// The broken rule.
    pub rule: Rule,
}

/// A rule about imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A domain imports no crate except `doyen::domain`, `std`, `core`, `alloc` and the crates in
    /// `domain-crates`.
    DomainCrate,
    /// A domain imports no other layer of its own folder.
    DomainLayer,
    /// A domain imports no module of the application except its own and the shared kernel.
    DomainModule,
    /// A domain imports no other domain.
    DomainDomain,
    /// A domain folder imports from another one only the items that its `mod.rs` exports.
    OtherDomain,
    /// `api` does not import `infrastructure`.
    ApiInfrastructure,
    /// `infrastructure` does not import `api`.
    InfrastructureApi,
    /// A domain folder does not include files from elsewhere, by `#[path]` or `include!`.
    IncludedFile,
}

impl Rule {
    /// Returns the rule and how to comply with it.
    pub fn text(self) -> &'static str {
        match self {
            Self::DomainCrate => {
                "a domain imports only `doyen::domain`, `std`, `core`, `alloc` and the crates in \
                 `domain-crates`: declare a port (a trait) in the domain and implement it in `infrastructure`, \
                 or add a crate without I/O to `domain-crates` in Cargo.toml"
            }
            Self::DomainLayer => {
                "a domain imports no other layer: declare a port (a trait) in the domain and implement it in \
                 `infrastructure`, or move the item to the domain"
            }
            Self::DomainModule => {
                "a domain imports only its own modules and the shared kernel: pass the value as a parameter, \
                 move the item to the domain, or add the module to `shared-kernel` in Cargo.toml"
            }
            Self::DomainDomain => {
                "a domain imports no other domain: react to an event of that domain (outbox), or declare a \
                 port (a trait) for what this domain needs"
            }
            Self::OtherDomain => {
                "the modules of another domain are private: use an item that its `mod.rs` exports, react to an \
                 event of that domain (outbox), or declare a port (a trait)"
            }
            Self::ApiInfrastructure => {
                "`api` does not import `infrastructure`: declare a port (a trait) in `domain`, or bind both in \
                 `mod.rs`"
            }
            Self::InfrastructureApi => {
                "`infrastructure` does not import `api`: move the item to `domain`"
            }
            Self::IncludedFile => {
                "a domain includes no file from elsewhere: declare it as a module, so that the rules of its \
                 layer apply"
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            import,
            target,
            rule,
        } = self;
        write!(out, "{}:{line}: `{import}`", file.display())?;
        if import != target {
            write!(out, " (`{target}`)")?;
        }
        write!(out, ": {}", rule.text())
    }
}
