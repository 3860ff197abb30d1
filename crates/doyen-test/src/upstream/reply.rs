//! What an upstream replies.

use std::time::Duration;

use serde::Serialize;

/// A reply, or a fault instead of one.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) fault: Fault,
    pub(super) delay: Duration,
    pub(super) is_held: bool,
}

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub(super) enum Fault {
    #[default]
    None,
    /// The connection is reset, without a reply.
    Reset,
    /// Half of the body is sent, then the connection is closed.
    HalfBody,
    /// Half of the body is sent, and the connection stays open.
    Stall,
    /// `Content-Length` has this value.
    Length(usize),
    /// These bytes are sent instead of a response.
    Garbage(Vec<u8>),
}

impl Default for Reply {
    fn default() -> Self {
        Self::status(200)
    }
}

impl Reply {
    /// A response with this status and no body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            fault: Fault::None,
            delay: Duration::ZERO,
            is_held: false,
        }
    }

    /// A 200 with a JSON body.
    pub fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value)
            .unwrap_or_else(|error| panic!("the body cannot be serialized: {error}"));
        Self::status(200)
            .header("content-type", "application/json")
            .body(body)
    }

    /// A redirect (302) to this location.
    pub fn redirect(location: &str) -> Self {
        Self::status(302).header("location", location)
    }

    /// Resets the connection (RST) instead of a reply.
    pub fn reset() -> Self {
        Self::fault(Fault::Reset)
    }

    /// A 200 whose connection is closed after half of this body.
    pub fn half_of(body: impl Into<Vec<u8>>) -> Self {
        Self::fault(Fault::HalfBody).body(body)
    }

    /// A 200 of which half of this body is sent. The connection stays open until the test calls
    /// [`release`](super::UpstreamServer::release).
    pub fn stalls_after_half_of(body: impl Into<Vec<u8>>) -> Self {
        Self::fault(Fault::Stall).body(body)
    }

    /// Bytes that are not HTTP.
    pub fn garbage(bytes: impl Into<Vec<u8>>) -> Self {
        Self::fault(Fault::Garbage(bytes.into()))
    }

    fn fault(fault: Fault) -> Self {
        Self {
            fault,
            ..Self::status(200)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Announces this length, whatever the length of the body. The connection is closed after it.
    #[must_use]
    pub fn wrong_length(mut self, length: usize) -> Self {
        self.fault = Fault::Length(length);
        self
    }

    /// Waits this long before it replies. A test that needs an order uses [`hold`](Self::hold).
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Waits until the test calls [`release`](super::UpstreamServer::release).
    #[must_use]
    pub fn hold(mut self) -> Self {
        self.is_held = true;
        self
    }
}
