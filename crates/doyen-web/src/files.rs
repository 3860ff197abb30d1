//! A folder of files below a path.

mod locate;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use doyen_core::inject::BoxFuture;
use doyen_core::problem::Plain;
use doyen_core::{Allow, Refusal, Unexpected};
use http::{HeaderValue, StatusCode, header};

use crate::content::{RANGE_NOT_SATISFIABLE, media_type, send};
use crate::handler::{Endpoint, check_failures};
use crate::module::Module;
use crate::mount;
use crate::problem::NOT_FOUND;
use crate::request::{Parts, Request};
use crate::response::File;
use crate::route::Route;
use crate::{Body, Response, uri_reference};
use locate::{Located, Wanted};

/// What browsers may load for a page of a folder: its own scripts, styles and images, and nothing
/// of another host.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; frame-ancestors 'none'; base-uri 'self'; object-src 'none'",
);

/// A folder of files.
///
/// A path is looked up in the folder as it is when the request arrives. A path that leaves the
/// folder, directly or through a symbolic link, and a file or folder whose name begins with a dot
/// do not exist for clients. Folders are not listed.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
    index: Option<&'static str>,
    fallback: Option<&'static str>,
    cache: Option<String>,
    page_policy: HeaderValue,
}

impl Files {
    /// Creates a folder. A relative path begins at the working directory of the process.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            index: Some("index.html"),
            fallback: None,
            cache: None,
            page_policy: PAGE_POLICY,
        }
    }

    /// Sets the file that a folder stands for. Default `index.html`.
    #[must_use]
    pub const fn index(mut self, name: &'static str) -> Self {
        self.index = Some(name);
        self
    }

    /// Sends no file for a folder.
    #[must_use]
    pub const fn without_index(mut self) -> Self {
        self.index = None;
        self
    }

    /// Sends this file for every path that does not exist and has no extension, for a page that
    /// routes in the browser.
    #[must_use]
    pub const fn fallback(mut self, name: &'static str) -> Self {
        self.fallback = Some(name);
        self
    }

    /// Lets browsers and, if the route is public, shared caches use a file for this time without
    /// asking. By default they ask each time, and get a 304 if the file has not changed.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.cache = Some(format!("max-age={}", age.as_secs()));
        self
    }

    /// Lets caches keep files for a year: for names that contain a hash of the content.
    #[must_use]
    pub fn immutable(mut self) -> Self {
        self.cache = Some("max-age=31536000, immutable".to_owned());
        self
    }

    /// Sets the `Content-Security-Policy` of HTML files. The default lets a page load only from its
    /// own host.
    ///
    /// # Panics
    ///
    /// Panics if the text cannot be a header.
    #[must_use]
    pub fn page_policy(mut self, policy: &'static str) -> Self {
        self.page_policy = HeaderValue::from_static(policy);
        self
    }

    /// Opens a file of the folder, with the checks of a request. Returns `None` if it does not
    /// exist for clients. The path has `/` between its parts and is not percent-encoded.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder does not exist or the file cannot be read.
    pub async fn open(&self, path: &str) -> Result<Option<File>, Unexpected> {
        let names: Option<Vec<String>> = path
            .split('/')
            .map(|name| locate::is_visible(name).then(|| name.to_owned()))
            .collect();
        let Some(names) = names else {
            return Ok(None);
        };
        match self.locate(names, false).await? {
            Located::File(content, path) => Ok(Some(File::of(content, &path))),
            Located::Folder | Located::Nothing => Ok(None),
        }
    }

    async fn locate(&self, names: Vec<String>, is_folder: bool) -> Result<Located, Unexpected> {
        let folder = self.folder.clone();
        let wanted = match is_folder {
            true => Wanted::Folder(self.index),
            false => Wanted::File,
        };
        let work = move || locate::locate(&folder, &names, wanted);
        tokio::task::spawn_blocking(work).await?
    }

    /// Returns the response to a request for this path below the route.
    async fn respond(&self, rest: &str, parts: &Parts) -> Result<Response, Refusal> {
        let Some((names, is_folder)) = locate::names(rest) else {
            return Err(Plain::new(&NOT_FOUND).into());
        };
        let has_extension = names.last().is_some_and(|name| name.contains('.'));
        let mut located = self.locate(names, is_folder).await?;
        if matches!(located, Located::Nothing)
            && !has_extension
            && let Some(fallback) = self.fallback
        {
            located = self.locate(vec![fallback.to_owned()], false).await?;
        }
        let (content, path) = match located {
            Located::File(content, path) => (content, path),
            Located::Folder if self.index.is_some() && !is_folder => {
                return Ok(to_folder(&parts.head.uri));
            }
            Located::Folder | Located::Nothing => return Err(Plain::new(&NOT_FOUND).into()),
        };
        let media_type = media_type(&path);
        let mut response = send(content, &parts.head, HeaderValue::from_static(media_type))?;
        let headers = response.headers_mut();
        if media_type.starts_with("text/html") {
            headers.insert(header::CONTENT_SECURITY_POLICY, self.page_policy.clone());
        }
        if let Some(cache) = &self.cache {
            let is_public = parts.route.allow.is_public();
            let scope = if is_public { "public" } else { "private" };
            let cache = HeaderValue::try_from(format!("{scope}, {cache}"));
            headers.insert(header::CACHE_CONTROL, cache.map_err(Unexpected::from)?);
        }
        Ok(response)
    }
}

impl<P: AsRef<Path>> From<P> for Files {
    fn from(folder: P) -> Self {
        Self::new(folder.as_ref())
    }
}

/// Redirects to the folder, whose relative links begin there.
fn to_folder(uri: &http::Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}"));
    let to = format!("{}/{}", uri.path(), query.unwrap_or_default());
    // `//host/` would lead to another host.
    let to = format!("/{}", to.trim_start_matches('/'));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, uri_reference(&to));
    response
}

impl Route {
    /// Serves a folder below a path: `GET` and `HEAD` for each file. It is a route with all
    /// policies of one: without `allow` the application does not start. The document does not
    /// describe it.
    ///
    /// ```
    /// use doyen_core::anyone;
    /// use doyen_web::{Files, Module, Route};
    ///
    /// let assets = Route::files("/assets", Files::new("assets").immutable()).allow(anyone);
    /// Module::new("pages").route(assets);
    /// ```
    pub fn files(path: &str, files: impl Into<Files>) -> Self {
        let mut route = Self::subtree("GET", path, Arc::new(Folder(files.into())));
        // For the pages of the problems.
        route.describe = Some(|contract| {
            contract
                .operation
                .fails([&NOT_FOUND, &RANGE_NOT_SATISFIABLE]);
        });
        route
    }
}

impl Module {
    /// Serves a folder below a path: see [`Route::files`].
    ///
    /// ```
    /// use doyen_core::anyone;
    /// use doyen_web::Module;
    ///
    /// Module::new("pages").files("/assets", anyone, "assets");
    /// ```
    #[must_use]
    pub fn files(self, path: &str, allow: impl Into<Allow>, files: impl Into<Files>) -> Self {
        self.route(Route::files(path, files).allow(allow))
    }
}

/// The handler of a folder.
struct Folder(Files);

impl Endpoint for Folder {
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        Box::pin(async move {
            // A guard can have found some.
            check_failures(request)?;
            let parts = &request.parts;
            let rest = mount::rest(parts.head.uri.path(), &parts.route.path);
            self.0.respond(rest, parts).await
        })
    }
}
