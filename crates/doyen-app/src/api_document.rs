//! The OpenAPI document of an application.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use doyen_core::sync::lock;
use doyen_schema::Info;
use doyen_web::{Contracts, VersionSet};

/// The OpenAPI document, generated when it is first read. Its text takes more memory than the
/// routes themselves, and most processes of an application never need it.
#[derive(Debug)]
pub struct ApiDocument {
    info: Info,
    contracts: Arc<Contracts>,
    versions: Option<Arc<VersionSet>>,
    text: OnceLock<String>,
    /// The documents of older versions that were read.
    older: Mutex<BTreeMap<&'static str, Arc<str>>>,
}

impl ApiDocument {
    pub(crate) fn new(
        mut info: Info,
        contracts: Arc<Contracts>,
        versions: Option<Arc<VersionSet>>,
    ) -> Self {
        // The document of an API with versions has the version of the API, not of the program.
        if let Some(versions) = &versions {
            versions.newest().clone_into(&mut info.version);
        }
        Self {
            info,
            contracts,
            versions,
            text: OnceLock::new(),
            older: Mutex::default(),
        }
    }

    /// Returns the document as JSON text.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let Contracts {
                operations,
                components,
                ..
            } = &*self.contracts;
            doyen_schema::document_text(&self.info, operations, components)
        })
    }

    /// Returns the versions of the API, if it has any.
    pub const fn versions(&self) -> Option<&Arc<VersionSet>> {
        self.versions.as_ref()
    }

    /// Returns the document of a version as JSON text, or `None` if there is no such version or it
    /// has ended.
    pub fn text_of(&self, version: &str) -> Option<Arc<str>> {
        let versions = self.versions.as_ref()?;
        let name = versions.live().find(|live| *live == version)?;
        if let Some(text) = lock(&self.older).get(name) {
            return Some(Arc::clone(text));
        }
        let mut document = serde_json::from_str(self.text()).ok()?;
        versions.document(name, &mut document);
        let mut text = serde_json::to_string_pretty(&document).ok()?;
        text.push('\n');
        let text: Arc<str> = text.into();
        lock(&self.older).insert(name, Arc::clone(&text));
        Some(text)
    }
}
