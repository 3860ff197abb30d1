//! Builds and sends one well-formed request.

use std::time::{Duration, Instant};

use serde_json::Value;
use toolkit::http::{self, Response};
use toolkit::process::pause;

use crate::target::Target;

/// Maximum `Retry-After` that is waited for.
const MAX_WAIT: Duration = Duration::from_secs(65);

/// A request builder. Nothing is escaped, so that an attack can send any bytes.
pub(crate) struct Request<'t> {
    target: &'t Target,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    /// True if a 503 is an expected response, because the attack sends more than the server allows.
    may_shed: bool,
    /// True if a 429 is returned at once instead of waiting for `Retry-After`.
    at_once: bool,
}

impl<'t> Request<'t> {
    pub(crate) fn new(target: &'t Target, method: &str, path: &str) -> Self {
        Self {
            target,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            may_shed: false,
            at_once: false,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    pub(crate) fn merge_patch(self, body: &Value) -> Self {
        self.bytes(
            "application/merge-patch+json",
            body.to_string().into_bytes(),
        )
    }

    pub(crate) fn bytes(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self.header("content-type", media_type)
    }

    pub(crate) fn may_shed(mut self) -> Self {
        self.may_shed = true;
        self
    }

    pub(crate) fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// Sends the request on a new connection. After a 429 it waits for `Retry-After` and repeats
    /// the request, within the waiting time of the whole run.
    pub(crate) fn send(self) -> Response {
        loop {
            let response = self.once();
            let wait = response
                .header("retry-after")
                .and_then(|seconds| seconds.parse().ok());
            let wait = wait.map_or(Duration::ZERO, Duration::from_secs);
            let again = response.status == 429
                && !self.at_once
                && wait <= MAX_WAIT
                && self.target.may_wait(wait);
            if !again {
                self.target.check_response(
                    &format!("{} {}", self.method, self.path),
                    &response,
                    self.may_shed,
                );
                return response;
            }
            let until = Instant::now() + wait;
            while Instant::now() < until {
                pause();
            }
        }
    }

    fn once(&self) -> Response {
        http::exchange(self.target.address, &self.to_bytes()).unwrap_or_default()
    }

    /// The bytes that are sent.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let has_host = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        if !has_host {
            headers.push(("Host", &self.target.host));
        }
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        if self.body.is_none() && matches!(self.method.as_str(), "POST" | "PATCH" | "PUT") {
            headers.push(("Content-Length", "0"));
        }
        http::encode(&self.method, &self.path, &headers, self.body.as_deref())
    }
}
