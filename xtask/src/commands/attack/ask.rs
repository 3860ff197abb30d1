//! One well-formed request, written as a sentence.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::target::Target;
use super::wire::{Reply, Wire};
use crate::process::pause;

/// The longest time to wait when the server says that it was too much.
const LONGEST_WAIT: Duration = Duration::from_secs(65);

/// A request that is being written. Nothing of it is escaped: what an attack wants to send is sent.
pub(super) struct Ask<'t> {
    target: &'t Target,
    method: String,
    path: String,
    fields: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    /// 503 is a good answer too: there are more of these at once than are served.
    may_shed: bool,
    /// 429 is what is asked for, so it is not waited out.
    at_once: bool,
}

impl<'t> Ask<'t> {
    pub(super) fn new(target: &'t Target, method: &str, path: &str) -> Self {
        Self {
            target,
            method: method.to_owned(),
            path: path.to_owned(),
            fields: Vec::new(),
            body: None,
            may_shed: false,
            at_once: false,
        }
    }

    pub(super) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.field("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    pub(super) fn merge_patch(self, body: &Value) -> Self {
        self.bytes(
            "application/merge-patch+json",
            body.to_string().into_bytes(),
        )
    }

    pub(super) fn bytes(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self.field("content-type", media_type)
    }

    pub(super) fn may_shed(mut self) -> Self {
        self.may_shed = true;
        self
    }

    pub(super) fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// Sends it on a connection of its own. A server that says 429 is asked again when its time is over, as long as the
    /// whole run has patience.
    pub(super) fn send(self) -> Reply {
        loop {
            let reply = self.once();
            let wait = reply
                .field("retry-after")
                .and_then(|seconds| seconds.parse().ok());
            let wait = wait.map_or(Duration::ZERO, Duration::from_secs);
            let again = reply.status == 429
                && !self.at_once
                && wait <= LONGEST_WAIT
                && self.target.may_wait(wait);
            if !again {
                self.target.judge(
                    &format!("{} {}", self.method, self.path),
                    &reply,
                    self.may_shed,
                );
                return reply;
            }
            let until = Instant::now() + wait;
            while Instant::now() < until {
                pause();
            }
        }
    }

    fn once(&self) -> Reply {
        let answer = Wire::open(self.target.address).and_then(|mut wire| {
            wire.send(&self.to_bytes())?;
            wire.receive(self.method == "HEAD")
        });
        answer.unwrap_or_default()
    }

    /// As it goes over the wire.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self { method, path, .. } = self;
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !self
            .fields
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            head.push_str(&format!("Host: {}\r\n", self.target.host));
        }
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        } else if matches!(method.as_str(), "POST" | "PATCH" | "PUT") {
            head.push_str("Content-Length: 0\r\n");
        }
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}
