//! What every application serves besides its own routes: health, the document and its page, problem pages, public keys.

pub(crate) mod admin;
mod docs;
mod health;
mod jwks;
mod metrics;
mod problems;

use std::sync::OnceLock;

use bytes::Bytes;
use doyen_core::ProblemInfo;
use doyen_macros::routes;
use doyen_web::{Module, Service};

/// The module of all of them. They are left out of the document.
pub(crate) fn module() -> Module {
    let health = routes![health::livez, health::readyz];
    let docs = routes![docs::openapi, docs::page, docs::asset];
    let others = routes![problems::problem, jwks::jwks];
    Module::new("system")
        .describe("Health checks, API documents and public keys.")
        .routes(health)
        .routes(docs)
        .routes(others)
}

/// What the pages show: known only when the service is built.
#[derive(Debug, Default)]
pub(crate) struct Pages(OnceLock<Filled>);

#[derive(Debug)]
pub(crate) struct Filled {
    /// Whether the document and its page are served.
    docs: bool,
    /// Shared by all responses.
    pub(crate) document: Bytes,
    pub(crate) page: Bytes,
    pub(crate) catalogue: Vec<&'static ProblemInfo>,
    pub(crate) drain: std::sync::Arc<doyen_web::Drain>,
}

impl Pages {
    pub(crate) fn fill(&self, title: &str, document: String, service: &Service, docs: bool) {
        let filled = Filled {
            docs,
            page: doyen_console::docs_page("/openapi.json", title).into(),
            document: document.into(),
            catalogue: service.catalogue().to_vec(),
            drain: service.drain(),
        };
        // A second call changes nothing: a service is built once.
        let _ = self.0.set(filled);
    }

    pub(crate) fn get(&self) -> Option<&Filled> {
        self.0.get()
    }

    /// For the document and its page: nothing where they are not served.
    pub(crate) fn docs(&self) -> Option<&Filled> {
        self.get().filter(|filled| filled.docs)
    }
}
