//! `/demo`: a page on which two browsers see each other's changes. Only in development.
//!
//! It loads nothing from other hosts. The access token stays in memory, and the socket is opened
//! with a connection token.

use doyen::app::{Manifest, Plugin, Registrar, SetupError};
use doyen::prelude::*;
use doyen::web::Body;
use doyen::web::http::{HeaderValue, header};

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// What the page may load: its own script and style, and this service.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the page in development.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DemoPlugin;

impl Plugin for DemoPlugin {
    const NAME: &'static str = "demo";
    type Settings = ();

    fn manifest(&self, manifest: &mut Manifest) {
        manifest.about("A page with live tickets, in development");
    }

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        if app.info().environment.is_dev() {
            app.module(Module::new("demo").routes(routes![page, script, style].at("/demo")));
        }
        Ok(())
    }
}

/// The page
#[get("/", allow = anyone, hidden)]
async fn page() -> Response {
    response("text/html; charset=utf-8", PAGE)
}

/// The script of the page
#[get("/page.js", allow = anyone, hidden)]
async fn script() -> Response {
    response("text/javascript; charset=utf-8", SCRIPT)
}

/// The style of the page
#[get("/page.css", allow = anyone, hidden)]
async fn style() -> Response {
    response("text/css; charset=utf-8", STYLE)
}

fn response(media_type: &'static str, text: &'static str) -> Response {
    let mut response = Response::new(Body::whole(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let policy = HeaderValue::from_static(POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
