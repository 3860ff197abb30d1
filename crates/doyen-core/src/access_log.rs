//! The access log: one record per request, and the port that writes it.
//!
//! The pipeline fills the record, and a sink writes it. The record only borrows, so a sink that
//! drops it costs nothing.

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
    /// Time of arrival.
    pub at: Timestamp,
    /// Request id.
    pub request_id: &'a str,
    /// Trace id; empty for none.
    pub trace_id: &'a str,
    /// Method.
    pub method: &'a str,
    /// Path as received. The query string is removed when it is written, because it may contain a
    /// secret.
    pub path: &'a str,
    /// Template of the route; `None` if no route matched.
    pub route: Option<&'a str>,
    /// Status of the response.
    pub status: u16,
    /// Time from the first byte of the request to the end of the response.
    pub duration: Duration,
    /// Bytes of the body that were handed to the connection.
    pub bytes: u64,
    /// True if a streamed body did not reach its end: the client disconnected or the stream failed.
    pub aborted: bool,
    /// The address of the client, after trusted proxies.
    pub client: Option<IpAddr>,
    /// Subject of the caller.
    pub user: Option<&'a str>,
    /// Number of statements sent to the database.
    pub queries: u32,
    /// Total time of these statements.
    pub query_time: Duration,
    /// Code of the problem in the response.
    pub problem: Option<&'a str>,
    /// Reason for a refusal. The client never sees it.
    pub denied_because: Option<&'a str>,
    /// The error, which is written with its chain of causes. The client never sees it.
    pub cause: Option<&'a (dyn Error + 'static)>,
    /// True if the request was refused because the service was overloaded.
    pub shed: bool,
    /// True for a line that a client can cause in any number, such as one about a refused request:
    /// the log may sample these.
    pub sampled: bool,
}

impl AccessRecord<'_> {
    /// Creates a record of a request that arrived now, with empty fields.
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

    /// Returns the path without its query string.
    pub fn bare_path(&self) -> &str {
        self.path
            .split_once('?')
            .map_or(self.path, |(path, _)| path)
    }

    /// True for a failure of the service (5xx). A refusal because of overload is not one.
    pub const fn is_fault(&self) -> bool {
        self.status >= 500 && !self.shed
    }
}

/// The sink for records. It is called during every request, so it must not wait for a disk or a
/// terminal.
pub trait AccessSink: Send + Sync + 'static {
    /// Writes one record.
    fn write(&self, record: &AccessRecord<'_>);
}

impl<A: AccessSink> crate::Port<A> for dyn AccessSink {
    fn adapt(adapter: A) -> Arc<dyn AccessSink> {
        Arc::new(adapter)
    }
}
