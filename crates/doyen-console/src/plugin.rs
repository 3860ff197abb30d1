//! The API documentation as a plugin.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use doyen_app::{ApiDocument, BannerLink, Built, Manifest, Plugin, Registrar, SetupError};
use doyen_core::{ProblemInfo, anyone};
use doyen_macros::routes;
use doyen_settings::Settings;
use doyen_web::{Module, Route, Routes};

use crate::html::with_root;
use crate::{docs_page, pages, problem_route};

/// Serves the OpenAPI document (`/openapi.json`), its page (`/docs`) and one page for each problem
/// (`/problems/{code}`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Docs;

/// The API documentation.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct DocsSettings {
    /// Serves the OpenAPI document and its page (`/openapi.json`, `/docs`). If not set, `false` in
    /// `prod` and `true` otherwise. If disabled, both paths return 404.
    pub enabled: Option<bool>,
    /// Path of the OpenAPI document.
    #[setting(default = "/openapi.json")]
    pub document_path: String,
    /// Path of its page. The scripts of the page stay at `/docs/assets`.
    #[setting(default = "/docs")]
    pub page_path: String,
}

impl Plugin for Docs {
    const NAME: &'static str = "docs";
    type Settings = DocsSettings;

    fn manifest(&self, manifest: &mut Manifest) {
        manifest
            .about("The OpenAPI document, its page, and one page for each problem")
            .renamed_setting("server.docs", "docs.enabled");
    }

    fn register(self, settings: DocsSettings, app: &mut Registrar<'_>) -> Result<(), SetupError> {
        let enabled = settings
            .enabled
            .unwrap_or(!app.info().environment.is_prod());
        let pages = Arc::new(Pages::default());
        let module = Module::new("docs")
            .routes(Routes::new(vec![
                Route::get(&settings.document_path)
                    .name("openapi")
                    .summary("The OpenAPI document.")
                    .allow(anyone)
                    .hidden()
                    .handler(pages::openapi),
                Route::get(&settings.page_path)
                    .name("page")
                    .summary("The interactive page.")
                    .allow(anyone)
                    .hidden()
                    .handler(pages::page),
            ]))
            .routes(routes![pages::asset])
            .routes(routes![problem_route::problem])
            .provide(Arc::clone(&pages));
        app.module(module);
        app.contribute(BannerLink {
            label: "Docs",
            // Once for each application of a process.
            path: String::leak(settings.page_path),
            admin: false,
        });
        let path = settings.document_path;
        app.after_build(move |built| pages.fill(built, enabled, &path));
        Ok(())
    }
}

/// The pages. They are known once the application is built.
#[derive(Debug, Default)]
pub(crate) struct Pages(OnceLock<Filled>);

#[derive(Debug)]
pub(crate) struct Filled {
    /// Whether the document and its page are served.
    enabled: bool,
    document: Arc<ApiDocument>,
    pub(crate) page: Bytes,
    /// The prefix of public URLs.
    pub(crate) root: String,
    pub(crate) catalogue: Vec<&'static ProblemInfo>,
}

impl Filled {
    /// The document. All responses share its text, which the first one generates.
    pub(crate) fn document(&self) -> Bytes {
        Bytes::from_owner(SharedText(Arc::clone(&self.document)))
    }

    /// The document of a version of the API, or `None` if there is no such version.
    pub(crate) fn document_of(&self, version: &str) -> Option<Bytes> {
        let text = self.document.text_of(version)?;
        Some(Bytes::from_owner(VersionText(text)))
    }
}

struct VersionText(Arc<str>);

impl AsRef<[u8]> for VersionText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

struct SharedText(Arc<ApiDocument>);

impl AsRef<[u8]> for SharedText {
    fn as_ref(&self) -> &[u8] {
        self.0.text().as_bytes()
    }
}

impl Pages {
    fn fill(&self, built: &Built, enabled: bool, path: &str) {
        let root = built.service().root_path().as_str();
        let page = docs_page(&format!("{root}{path}"), &built.info().title);
        let filled = Filled {
            enabled,
            page: with_root(page, root).into(),
            root: root.to_owned(),
            document: Arc::clone(built.api_document()),
            catalogue: built.service().catalogue().to_vec(),
        };
        // An application is built once.
        let _ = self.0.set(filled);
    }

    pub(crate) fn get(&self) -> Option<&Filled> {
        self.0.get()
    }

    /// The document and its page, if they are served.
    pub(crate) fn docs(&self) -> Option<&Filled> {
        self.get().filter(|filled| filled.enabled)
    }
}
