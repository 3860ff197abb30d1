//! The API documentation as a plugin.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use doyen_app::{ApiDocument, BannerLink, Built, Manifest, Plugin, Registrar, SetupError};
use doyen_core::{ProblemInfo, anyone};
use doyen_macros::routes;
use doyen_settings::Settings;
use doyen_web::{Module, Route, Routes};

use crate::html::with_root;
use crate::swagger::{SWAGGER_CSP, swagger_page};
use crate::{DOCS_CSP, docs_page, pages, problem_route};

/// Where an application with sockets serves their document.
const ASYNCAPI_PATH: &str = "/asyncapi.json";

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
    /// The page. Swagger UI needs the Cargo feature `swagger-ui` of `doyen`.
    #[setting(default = "doyen")]
    pub ui: DocsUi,
}

/// A page that shows the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum DocsUi {
    /// The page of Doyen.
    Doyen,
    /// Swagger UI.
    SwaggerUi,
}

impl DocsUi {
    /// Returns an error if the page is not compiled in.
    fn check(self, has_swagger_ui: bool) -> Result<(), SetupError> {
        match self {
            Self::SwaggerUi if !has_swagger_ui => Err(SetupError::setting(
                "docs.ui",
                "Swagger UI is not compiled in: add the feature `swagger-ui` of `doyen`, or remove the setting",
            )),
            _ => Ok(()),
        }
    }
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
        settings.ui.check(cfg!(feature = "swagger-ui"))?;
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
        let (path, ui) = (settings.document_path, settings.ui);
        app.after_build(move |built| pages.fill(built, enabled, &path, ui));
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
    /// The `Content-Security-Policy` of the page.
    pub(crate) policy: &'static str,
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
    fn fill(&self, built: &Built, enabled: bool, path: &str, ui: DocsUi) {
        let root = built.service().root_path().as_str();
        let (document, title) = (format!("{root}{path}"), &built.info().title);
        let operations = built.service().operations();
        let has_sockets = operations
            .iter()
            .any(|operation| operation.socket.is_some());
        let sockets = has_sockets.then(|| format!("{root}{ASYNCAPI_PATH}"));
        let (page, policy) = match ui {
            DocsUi::Doyen => (docs_page(&document, sockets.as_deref(), title), DOCS_CSP),
            DocsUi::SwaggerUi => (swagger_page(&document, title), SWAGGER_CSP),
        };
        let filled = Filled {
            enabled,
            page: with_root(page, root).into(),
            policy,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_compiled_in_says_which_feature_has_it() {
        assert!(DocsUi::Doyen.check(false).is_ok());
        assert!(DocsUi::SwaggerUi.check(true).is_ok());
        let error = DocsUi::SwaggerUi.check(false).unwrap_err().to_string();
        assert!(
            error.contains("`docs.ui`") && error.contains("`swagger-ui`"),
            "{error}"
        );
    }
}
