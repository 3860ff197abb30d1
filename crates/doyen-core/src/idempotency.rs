//! Idempotent requests: the port to the store of keys and responses.
//!
//! A client that does not learn the outcome of a request sends it again with the same
//! `Idempotency-Key`. The pipeline asks the port before the handler runs, and lets it store the
//! response in the transaction of the effect.

use async_trait::async_trait;
use bytes::Bytes;

use crate::inject::Context;
use crate::limit::Network;
use crate::{Caller, Kind, ProblemInfo, Refusal};

/// Maximum length of a key in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// Whether a route takes an `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotent {
    /// The client may send a key.
    Optional,
    /// A request without a key gets a 400 `idempotency_key_required`.
    Required,
    /// The client may send a key if the application has a store of keys; otherwise the header is
    /// not read. For routes of plugins.
    IfSupported,
}

/// A request with a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyedRequest<'a> {
    /// The caller. Keys of different callers are unrelated.
    pub caller: Option<&'a Caller>,
    /// The network of the client, which separates the keys of anonymous callers.
    pub network: Network,
    /// The key: 1 to 255 visible ASCII characters.
    pub key: &'a str,
    /// Method.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Media type of the body.
    pub content_type: &'a str,
    /// Body. Empty if the handler reads it while it arrives: then its [`BodyDigest`] is stored with
    /// the response.
    pub body: &'a [u8],
}

/// A response as the handler returned it, before the pipeline adds headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// Status.
    pub status: u16,
    /// Headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Body; `None` if it was streamed or too large, so that it cannot be replayed.
    pub body: Option<Bytes>,
    /// The body of the request, if the handler read it while it arrived.
    pub content: Option<Content>,
}

/// The body of a request that was read while it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Length in bytes, without what separates the parts of a form.
    pub length: u64,
    /// Hash of the bytes.
    pub hash: [u8; 32],
}

/// Hashes a body while it arrives. What separates the parts of a form does not count: clients make
/// another boundary for each attempt.
pub trait BodyDigest: Send + 'static {
    /// Takes the next bytes.
    fn update(&mut self, bytes: &[u8]);
    /// Returns the length so far.
    fn length(&self) -> u64;
    /// True if a form has ended, so that what follows has no meaning.
    fn is_closed(&self) -> bool;
    /// Returns the length and the hash.
    fn finish(&self) -> Content;
}

/// The right to handle a request, or the response of the first one.
pub enum Claim {
    /// No request with this key has succeeded: handle it.
    First(Box<dyn Attempt>),
    /// The response to send again.
    Replay(StoredResponse),
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Claim::First(_) => f.write_str("First"),
            Claim::Replay(response) => f.debug_tuple("Replay").field(&response.status).finish(),
        }
    }
}

/// The store of keys and responses.
#[async_trait]
pub trait Idempotency: Send + Sync + 'static {
    /// Claims a key.
    ///
    /// # Errors
    ///
    /// Returns [`IN_FLIGHT`] while another request with the key runs, [`REUSED`] if the key belongs
    /// to another request, or an error if the store is unavailable.
    async fn claim(&self, request: KeyedRequest<'_>) -> Result<Claim, Refusal>;

    /// Begins to hash a body with this media type, boundary included.
    fn digest(&self, content_type: &str) -> Box<dyn BodyDigest>;

    /// Returns the maximum size of a stored body in bytes. Larger ones are not stored.
    fn max_response_bytes(&self) -> usize;
}

/// A claimed key. Dropping it without a commit releases the key.
#[async_trait]
pub trait Attempt: Send + Sync {
    /// Stores the response in the unit of work of the request. Returns false if another request
    /// has succeeded with this key: roll back then.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    async fn record(
        &mut self,
        context: &Context,
        response: StoredResponse,
    ) -> Result<bool, Refusal>;

    /// Returns the response of another request that has succeeded with this key meanwhile.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable, or the key belongs to another request.
    async fn superseded(&mut self) -> Result<Option<StoredResponse>, Refusal>;

    /// The unit of work with the response was committed.
    fn committed(&mut self);

    /// Releases the key of a request that failed, before its response is sent.
    async fn release(&mut self);
}

/// The problem for a request whose key is in use by a running request.
pub static IN_FLIGHT: ProblemInfo = ProblemInfo {
    code: "idempotency_in_flight",
    kind: Kind::Conflict,
    title: "Request In Progress",
    description: "The first request with this `Idempotency-Key` is still running. Send the request again after the number of seconds in `Retry-After`.",
};

/// The problem for a key that was used for another request.
pub static REUSED: ProblemInfo = ProblemInfo {
    code: "idempotency_key_reused",
    kind: Kind::Invalid,
    title: "Idempotency Key Reused",
    description: "This `Idempotency-Key` was used for a request with another method, URL or body. Use a new key for a new request.",
};

/// The problem for a missing key.
pub static KEY_REQUIRED: ProblemInfo = ProblemInfo {
    code: "idempotency_key_required",
    kind: Kind::Malformed,
    title: "Idempotency Key Required",
    description: "This operation requires the header `Idempotency-Key`. Send a new random value, such as a UUID, and the same value with each retry.",
};

/// The problem for a malformed key.
pub static KEY_INVALID: ProblemInfo = ProblemInfo {
    code: "invalid_idempotency_key",
    kind: Kind::Malformed,
    title: "Invalid Idempotency Key",
    description: "The header `Idempotency-Key` must occur once and have 1 to 255 visible ASCII characters.",
};

/// The problem for a response that cannot be sent again.
pub static NOT_REPLAYABLE: ProblemInfo = ProblemInfo {
    code: "idempotency_response_unavailable",
    kind: Kind::Conflict,
    title: "Response Unavailable",
    description: "The first request with this `Idempotency-Key` succeeded, and it is not repeated. Its response cannot be sent again, because it was streamed, was too large to store, or can no longer be decrypted. Read the resource instead.",
};

/// Every problem of a route that takes a key.
pub static PROBLEMS: [&ProblemInfo; 4] = [&IN_FLIGHT, &REUSED, &KEY_INVALID, &NOT_REPLAYABLE];
