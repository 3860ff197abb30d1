//! `/openapi.json`, `/docs` and its assets.

use std::sync::Arc;

use bytes::Bytes;
use doyen_core::{Problem, anyone, unlimited};
use doyen_macros::get;
use doyen_web::{Body, Response};
use http::{HeaderValue, header};

use super::Pages;

/// Errors of the documentation pages.
#[derive(Debug, Problem)]
pub(super) enum FindPage {
    /// The page does not exist. Check the URL.
    #[problem(not_found, code = "not_found")]
    Missing,
}

/// The OpenAPI document.
#[get("/openapi.json", allow = anyone, hidden)]
pub(super) async fn openapi(pages: Arc<Pages>) -> Result<Response, FindPage> {
    let filled = pages.docs().ok_or(FindPage::Missing)?;
    Ok(response("application/json", filled.document.clone()))
}

/// The interactive page.
#[get("/docs", allow = anyone, hidden)]
pub(super) async fn page(pages: Arc<Pages>) -> Result<Response, FindPage> {
    let filled = pages.docs().ok_or(FindPage::Missing)?;
    Ok(html(filled.page.clone()))
}

/// What the page is made of.
#[get(
    "/docs/assets/{file}",
    allow = anyone,
    hidden,
    limit = unlimited("one page asks for forty of them, and they are in memory")
)]
pub(super) async fn asset(file: String) -> Result<Response, FindPage> {
    let asset = doyen_console::docs_assets()
        .iter()
        .find(|asset| asset.path == file)
        .ok_or(FindPage::Missing)?;
    let mut response = response(asset.media_type, Bytes::from_static(asset.body));
    if let Ok(tag) = HeaderValue::try_from(&asset.etag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A page of ours: it may load its own scripts and styles, and nothing else.
pub(super) fn html(text: impl Into<Bytes>) -> Response {
    let mut response = response("text/html; charset=utf-8", text.into());
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(doyen_console::DOCS_CSP),
    );
    response
}

/// The same for every caller, so shared caches may keep it.
fn response(media_type: &'static str, bytes: Bytes) -> Response {
    let mut response = Response::new(Body::whole(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, no-cache"),
    );
    response
}
