//! A request on its way to a handler.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use doyen_core::inject::Context;
use doyen_core::{Failures, Refusal, RequestId};
use doyen_schema::input::{Value, text};

use crate::Body;
use crate::route::Entry;
use crate::server::{Account, Charge};
use crate::trip::{Limits, Slot};

/// Everything known of a request before its body is read: what extractors work on.
#[derive(Debug)]
pub struct Parts {
    /// Method, target, version and header fields as they came.
    pub head: http::request::Parts,
    /// What this request has made so far.
    pub context: Context,
    /// The id that stands in the answer and in the log.
    pub request_id: RequestId,
    /// The address the connection comes from.
    pub peer: Option<SocketAddr>,
    /// The client: the peer, or whom a trusted proxy names.
    pub client: Option<IpAddr>,
    pub(crate) entry: Arc<Entry>,
    pub(crate) path_values: Vec<(Arc<str>, String)>,
    pub(crate) limits: Limits,
    pub(crate) picked: Vec<String>,
    pub(crate) slot: Slot,
    /// Of the connection; `None` where there is none, as in tests.
    pub(crate) account: Option<Arc<Account>>,
    /// What the body is charged with until the handler is done.
    pub(crate) charge: Option<Charge>,
}

impl Parts {
    /// A header field as text; `None` when it is missing or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The value of a path parameter, percent-decoded once.
    pub fn path_value(&self, name: &str) -> Option<&str> {
        self.path_values
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| value.as_str())
    }

    /// What `?fields=` picked; empty for everything.
    pub(crate) fn picked_fields(&self) -> &[String] {
        &self.picked
    }

    /// The query string, decoded once; only the names that are asked for.
    ///
    /// # Errors
    ///
    /// The query string is not well-formed.
    pub fn query(&self, names: &[&str]) -> Result<Value<'_>, Refusal> {
        let mut fields = self.query_fields()?;
        fields.retain(|(name, _)| names.contains(&name.as_ref()));
        Ok(Value::Map(fields))
    }

    /// Each name in the query string with its value.
    pub(crate) fn query_fields(&self) -> Result<Vec<(Cow<'_, str>, Value<'_>)>, Refusal> {
        match text::query(self.head.uri.query().unwrap_or(""))? {
            Value::Map(fields) => Ok(fields),
            _ => Ok(Vec::new()),
        }
    }
}

/// A request as a handler gets it: its parts, its body, and what is wrong so far.
#[derive(Debug)]
pub struct Request {
    /// All but the body.
    pub parts: Parts,
    /// The body.
    pub body: Body,
    /// What extractors found wrong so far.
    pub failures: Failures,
}
