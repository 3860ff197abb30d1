//! The domain and the layer of a module.

use crate::Error;
use crate::manifest::Manifest;
use crate::tree::Tree;

/// A layer of a domain, or the shared kernel of all domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    Api,
    Domain,
    Infrastructure,
    SharedKernel,
    /// `mod.rs` and further modules of a domain folder, or a module outside of the domains.
    Other,
}

/// The domains and the shared kernel, as paths of modules.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) domains: Vec<Vec<String>>,
    shared_kernel: Vec<Vec<String>>,
}

impl Layout {
    /// A module with a child `domain` is a domain.
    pub(crate) fn new(tree: &Tree, manifest: &Manifest) -> Result<Self, Error> {
        let mut domains: Vec<Vec<String>> = Vec::new();
        for module in &tree.modules {
            if let Some((last, domain)) = module.path.split_last()
                && last == "domain"
            {
                domains.push(domain.to_vec());
            }
        }
        domains.sort();
        domains.dedup();
        let mut shared_kernel = Vec::new();
        for name in &manifest.shared_kernel {
            let path: Vec<String> = name.split("::").map(str::to_owned).collect();
            if !tree.contains(&path) {
                return Err(Error::MissingSharedKernel(name.clone()));
            }
            shared_kernel.push(path);
        }
        Ok(Self {
            domains,
            shared_kernel,
        })
    }

    /// The domain that a path is in: the innermost one.
    pub(crate) fn domain_of(&self, path: &[String]) -> Option<&[String]> {
        let around = self
            .domains
            .iter()
            .filter(|domain| path.starts_with(domain));
        around.max_by_key(|domain| domain.len()).map(Vec::as_slice)
    }

    pub(crate) fn layer_of(&self, path: &[String]) -> Layer {
        if self.is_shared(path) {
            return Layer::SharedKernel;
        }
        let domain = self.domain_of(path);
        match domain
            .and_then(|domain| path.get(domain.len()))
            .map(String::as_str)
        {
            Some("api") => Layer::Api,
            Some("domain") => Layer::Domain,
            Some("infrastructure") => Layer::Infrastructure,
            _ => Layer::Other,
        }
    }

    pub(crate) fn is_shared(&self, path: &[String]) -> bool {
        self.shared_kernel
            .iter()
            .any(|shared| path.starts_with(shared))
    }
}
