//! `/openapi.json`, `/docs` and its assets.

use std::sync::Arc;

use bytes::Bytes;
use doyen_core::{Problem, anyone, unlimited};
use doyen_macros::get;
use doyen_schema::Input;
use doyen_web::{Body, Query, Response};
use http::{HeaderValue, header};

use crate::plugin::Pages;

/// Errors of the documentation pages.
#[derive(Debug, Problem)]
pub(crate) enum FindPage {
    /// The page does not exist. Check the URL.
    #[problem(not_found, code = "not_found")]
    Missing,
}

/// Which document to return.
#[derive(Input)]
pub(crate) struct DocumentQuery {
    /// Version of the API; the newest if omitted.
    version: Option<String>,
}

/// Errors of the document.
#[derive(Debug, Problem)]
pub(crate) enum FindDocument {
    /// The page does not exist. Check the URL.
    #[problem(not_found, code = "not_found")]
    Missing,
    /// The API has no version of this name, or it has ended. Leave out `version` for the newest.
    #[problem(malformed, code = "unknown_version")]
    UnknownVersion,
}

/// The OpenAPI document. The plugin sets its path.
pub(crate) async fn openapi(
    pages: Arc<Pages>,
    Query(query): Query<DocumentQuery>,
) -> Result<Response, FindDocument> {
    let filled = pages.docs().ok_or(FindDocument::Missing)?;
    let document = match query.version {
        None => filled.document(),
        Some(version) => filled
            .document_of(&version)
            .ok_or(FindDocument::UnknownVersion)?,
    };
    Ok(response("application/json", document))
}

/// The interactive page. The plugin sets its path.
pub(crate) async fn page(pages: Arc<Pages>) -> Result<Response, FindPage> {
    let filled = pages.docs().ok_or(FindPage::Missing)?;
    Ok(html_under(filled.policy, filled.page.clone()))
}

/// A script or style of the page.
#[get(
    "/docs/assets/{file}",
    allow = anyone,
    hidden,
    limit = unlimited("one page loads forty of them, and they are in memory")
)]
pub(crate) async fn asset(file: String) -> Result<Response, FindPage> {
    let asset = crate::docs_assets()
        .iter()
        .chain(crate::asset::swagger_assets())
        .find(|asset| asset.path == file)
        .ok_or(FindPage::Missing)?;
    let mut response = response(asset.media_type, Bytes::from_static(asset.body));
    if let Ok(tag) = HeaderValue::try_from(&asset.etag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// An HTML page that may load its own scripts and styles, and nothing else.
pub(crate) fn html(text: impl Into<Bytes>) -> Response {
    html_under(crate::DOCS_CSP, text.into())
}

/// An HTML page under this `Content-Security-Policy`.
fn html_under(policy: &'static str, text: Bytes) -> Response {
    let mut response = response("text/html; charset=utf-8", text);
    let policy = HeaderValue::from_static(policy);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// A response that is the same for every caller, so that shared caches may store it.
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
