//! The one line a request leaves in the log: what the edge knows at the end of it, and the port
//! that takes it.
//!
//! The edge fills the record, an engine writes it. The record only borrows, so a sink that throws
//! it away costs nothing.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Timestamp;

/// Facts about one request. Text in it may come from the client: a sink must escape it.
///
/// ```
/// use doyen_core::{AccessRecord, Timestamp};
///
/// let record = AccessRecord {
///     path: "/v1/tickets?q=printer",
///     ..AccessRecord::at(Timestamp::from_micros(0))
/// };
/// assert_eq!(record.bare_path(), "/v1/tickets");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AccessRecord<'a> {
    /// When the request came in.
    pub at: Timestamp,
    /// Its id.
    pub request_id: &'a str,
    /// The trace it belongs to; empty for none.
    pub trace_id: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path as it was sent. A query string is left out when it is written, because it may hold
    /// a secret.
    pub path: &'a str,
    /// The template of the route; `None` when no route matched.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// From the head of the request until the whole response was handed to the connection. For a
    /// streamed body that is its end, for any other body the end of the handler.
    pub duration: Duration,
    /// Bytes of the body that were handed to the connection.
    pub bytes: u64,
    /// True if a streamed body did not reach its end: the client disconnected or the stream failed.
    pub aborted: bool,
    /// The address of the client, after trusted proxies.
    pub client: Option<IpAddr>,
    /// The subject of the caller.
    pub user: Option<&'a str>,
    /// How many statements went to the database.
    pub queries: u32,
    /// How long they took together.
    pub query_time: Duration,
    /// The code of the problem that was the answer.
    pub problem: Option<&'a str>,
    /// Reason for a refusal. The client never sees it.
    pub denied_because: Option<&'a str>,
    /// Why: written with everything below it. The client never sees it.
    pub cause: Option<&'a (dyn Error + 'static)>,
    /// True if the request was refused because the service was overloaded.
    pub shed: bool,
    /// True for a line of which there may be any number, such as one about a refused request: the
    /// log may write some of a kind and count the rest.
    pub sampled: bool,
}

impl AccessRecord<'_> {
    /// A record of a request that came in now, with everything else empty.
    pub const fn at(at: Timestamp) -> Self {
        Self {
            at,
            request_id: "",
            trace_id: "",
            method: "",
            path: "",
            route: None,
            status: 0,
            duration: Duration::ZERO,
            bytes: 0,
            aborted: false,
            client: None,
            user: None,
            queries: 0,
            query_time: Duration::ZERO,
            problem: None,
            denied_because: None,
            cause: None,
            shed: false,
            sampled: false,
        }
    }

    /// The path without its query string.
    pub fn bare_path(&self) -> &str {
        self.path
            .split_once('?')
            .map_or(self.path, |(path, _)| path)
    }

    /// True for a fault of the service (5xx). An overloaded service that refuses work is not one.
    pub const fn is_fault(&self) -> bool {
        self.status >= 500 && !self.shed
    }
}

/// Where the records go. It is called on the way of every request: it must not wait for a disk or a
/// terminal.
pub trait AccessSink: Send + Sync + 'static {
    /// Takes one record.
    fn write(&self, record: &AccessRecord<'_>);
}

impl<A: AccessSink> crate::Port<A> for dyn AccessSink {
    fn adapt(adapter: A) -> Arc<dyn AccessSink> {
        Arc::new(adapter)
    }
}
