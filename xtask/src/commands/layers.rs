//! `cargo xtask layers`: checks the imports between the layers and the domains of the applications.
//!
//! The rules are in `crates/doyen-layers`.

use toolkit::{Context, Failure, Result, workspace};

use super::no_arguments;

/// The folders of the applications.
const APPLICATIONS: [&str; 2] = ["apps/helpdesk", "docs_src"];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let mut findings = Vec::new();
    for folder in APPLICATIONS {
        let report = doyen_layers::check(&workspace::root().join(folder))
            .context(|| format!("checking {folder}"))?;
        if report.domains.is_empty() {
            return Err(Failure::new(format!("{folder} has no domain")));
        }
        let found = report.findings.iter();
        findings.extend(found.map(|finding| format!("{folder}/{finding}")));
        println!(
            "{folder}: {} in {} modules",
            report.domains.join(", "),
            report.modules
        );
    }
    Failure::unless_empty("imports that break a rule", &findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_domain_is_compiled_alone() {
        let alone = workspace::read("tools/domain-alone/src/lib.rs").unwrap();
        for folder in APPLICATIONS {
            let report = doyen_layers::check(&workspace::root().join(folder)).unwrap();
            for domain in report.domains {
                let module = domain.rsplit("::").next().unwrap();
                assert!(alone.contains(&format!("pub mod {module} {{")), "{domain}");
            }
        }
    }
}
