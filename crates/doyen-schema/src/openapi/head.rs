//! The head of the document: what the application says about itself.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value as Json, json};

/// The head of the document.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// Name of the API.
    pub title: String,
    /// Version of the API, such as `1.0.0`.
    pub version: String,
    /// Description of the API, in Markdown.
    pub description: String,
    /// Description of the API in one sentence; empty for none.
    pub summary: String,
    /// URL of the terms of service; empty for none.
    pub terms_of_service: String,
    /// Contact: a name and a URL, `https:` or `mailto:`.
    pub contact: Option<(String, String)>,
    /// Licence of the API.
    pub licence: Option<Licence>,
    /// URL and description of each server. Empty for the one that returns the document.
    pub servers: Vec<(String, String)>,
    /// URL and description of further documentation.
    pub external_docs: Option<(String, String)>,
    /// Name and description of each tag, in display order.
    pub tags: Vec<(String, String)>,
    /// Scopes and their descriptions.
    pub scopes: Vec<(String, String)>,
    /// The last word on the document.
    pub edit: Option<DocumentEdit>,
}

/// A licence: its SPDX expression, or its URL.
#[derive(Clone, Debug, Default)]
pub struct Licence {
    /// Name of the licence.
    pub name: String,
    /// SPDX expression, such as `MIT`; empty if there is none.
    pub identifier: String,
    /// URL of a licence without SPDX expression; empty otherwise.
    pub url: String,
}

/// A function over the finished document.
#[derive(Clone)]
pub struct DocumentEdit(Arc<dyn Fn(&mut Json) + Send + Sync>);

impl DocumentEdit {
    /// Creates it.
    pub fn new(edit: impl Fn(&mut Json) + Send + Sync + 'static) -> Self {
        Self(Arc::new(edit))
    }

    pub(super) fn apply(&self, document: &mut Json) {
        (self.0)(document);
    }
}

impl fmt::Debug for DocumentEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentEdit").finish_non_exhaustive()
    }
}

/// Returns the member `info`.
pub(super) fn info(info: &Info) -> Json {
    let mut head =
        json!({"title": info.title, "version": info.version, "description": info.description});
    for (name, text) in [
        ("summary", &info.summary),
        ("termsOfService", &info.terms_of_service),
    ] {
        if !text.is_empty() {
            head[name] = json!(text);
        }
    }
    if let Some((name, address)) = &info.contact {
        head["contact"] = match address.strip_prefix("mailto:") {
            Some(email) => json!({"name": name, "email": email}),
            None => json!({"name": name, "url": address}),
        };
    }
    if let Some(licence) = &info.licence {
        head["license"] = if licence.url.is_empty() {
            json!({"name": licence.name, "identifier": licence.identifier})
        } else {
            json!({"name": licence.name, "url": licence.url})
        };
    }
    head
}

/// Returns the member `servers`.
pub(super) fn servers(info: &Info) -> Json {
    if info.servers.is_empty() {
        return json!([{"url": "/", "description": "The server that returned this document."}]);
    }
    let servers = info.servers.iter();
    servers
        .map(|(url, description)| json!({"url": url, "description": description}))
        .collect()
}
