//! A request.

use std::net::{IpAddr, SocketAddr};

use doyen::web::Body;
use http::{HeaderName, HeaderValue, Method, Request};
use serde::Serialize;
use tracing::instrument::WithSubscriber as _;

use crate::recorder::Recorder;
use crate::{Answer, TestApp};

/// The code of the finding that fails a test.
pub(crate) const REPEATED_STATEMENT: &str = "repeated_statement";

/// A request in preparation; [`send`](Self::send) sends it.
#[derive(Debug)]
#[must_use = "a call that is not sent does nothing"]
pub struct Call {
    app: TestApp,
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    address: Option<SocketAddr>,
}

impl Call {
    pub(crate) fn new(app: TestApp, method: &str, target: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes())
            .unwrap_or_else(|_| panic!("`{method}` is no method"));
        // As a proxy does.
        let below = app.service().root_path().below(target);
        let target = below.filter(|path| !path.is_empty()).unwrap_or(target);
        Self {
            target: target.to_owned(),
            app,
            method,
            headers: Vec::new(),
            body: Vec::new(),
            address: None,
        }
    }

    /// Sets the address of the client. Without it the address is unknown.
    pub fn from_address(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = Some(SocketAddr::new(address.into(), 50_000));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Authenticates with an access token.
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// Adds `If-Match`.
    pub fn if_match(self, etag: impl Into<String>) -> Self {
        self.header("if-match", etag)
    }

    /// Adds `If-None-Match`.
    pub fn if_none_match(self, etag: impl Into<String>) -> Self {
        self.header("if-none-match", etag)
    }

    /// Adds a pair to the query string, percent-encoded.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.target
            .push(if self.target.contains('?') { '&' } else { '?' });
        self.target
            .push_str(&format!("{}={}", encode(name), encode(&value.to_string())));
        self
    }

    /// Sends a value as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(value)
            .unwrap_or_else(|error| panic!("the body cannot be serialized: {error}"));
        self.body("application/json", bytes)
    }

    /// Sends a value as a JSON merge patch.
    pub fn merge_patch(self, value: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(value)
            .unwrap_or_else(|error| panic!("the body cannot be serialized: {error}"));
        self.body("application/merge-patch+json", bytes)
    }

    /// Sends these bytes.
    pub fn body(mut self, media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self.header("content-type", media_type)
    }

    /// Sends the request, and checks the response against the OpenAPI document.
    ///
    /// # Panics
    ///
    /// Panics if the response is not in the document, or if the request ran the same query for each
    /// of several rows; see [`Setup::allow_repeated_statements`](crate::Setup).
    pub async fn send(self) -> Answer {
        let mut request = Request::new(if self.body.is_empty() {
            Body::empty()
        } else {
            Body::whole(self.body.clone())
        });
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self
            .target
            .parse()
            .unwrap_or_else(|error| panic!("`{}` is no request target: {error}", self.target));
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str())
                .unwrap_or_else(|error| panic!("`{name}`: {error}"));
            let value = HeaderValue::from_bytes(value.as_bytes())
                .unwrap_or_else(|error| panic!("`{name}`: {error}"));
            request.headers_mut().append(name, value);
        }
        // The pipeline is one large future, which must not be on the stack of a test.
        let (recorder, subscriber) = Recorder::subscribe();
        let handled = self.app.service().handle(request, self.address);
        let response = Box::pin(handled.with_subscriber(subscriber)).await;
        let answer = Answer::read(&self.method, &self.target, response).await;
        let (statements, findings) = recorder.take();
        let answer = answer.with_statements(statements).with_findings(findings);
        if let Err(violation) = self.app.contract().check(&self, &answer) {
            panic!("{violation}\n\n{answer}");
        }
        let mut findings = answer.findings().iter();
        match findings.find(|finding| self.app.fails_on(&finding.code)) {
            Some(finding) if finding.code == REPEATED_STATEMENT => {
                panic!("{finding}\nIf this is meant, use `Setup::allow_repeated_statements`.")
            }
            Some(finding) => panic!("{finding}"),
            None => {}
        }
        answer
    }
}

/// Percent-encodes all characters except letters, digits and `-._~`.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
