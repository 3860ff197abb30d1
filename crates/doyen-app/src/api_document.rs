//! The OpenAPI document of an application.

use std::sync::{Arc, OnceLock};

use doyen_schema::Info;
use doyen_web::Contracts;

/// The OpenAPI document, generated when it is first read. Its text takes more memory than the
/// routes themselves, and most processes of an application never need it.
#[derive(Debug)]
pub struct ApiDocument {
    info: Info,
    contracts: Arc<Contracts>,
    text: OnceLock<String>,
}

impl ApiDocument {
    pub(crate) fn new(info: Info, contracts: Arc<Contracts>) -> Self {
        Self {
            info,
            contracts,
            text: OnceLock::new(),
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
}
