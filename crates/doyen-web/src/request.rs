//! A request for a handler.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use doyen_core::inject::Context;
use doyen_core::{Failures, Refusal, RequestId};
use doyen_schema::input::{Value, text};

use crate::Body;
use crate::budget::{Account, Charge};
use crate::concurrency::Permit;
use crate::response::WantedFields;
use crate::route_info::RouteInfo;
use crate::versions::ActiveVersion;

/// The limits of a request body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) max_bytes: usize,
    pub(crate) timeout: Duration,
}

/// Everything about a request except its body.
#[derive(Debug)]
pub struct Parts {
    /// Method, target, version and headers, as they were received.
    pub head: http::request::Parts,
    /// The injection context of the request.
    pub context: Context,
    /// The id that is in the response and in the log.
    pub request_id: RequestId,
    /// The peer address of the connection.
    pub peer: Option<SocketAddr>,
    /// The client address: the peer, or the address that a trusted proxy reports.
    pub client: Option<IpAddr>,
    pub(crate) route: Arc<RouteInfo>,
    pub(crate) path_values: Vec<(Arc<str>, String)>,
    pub(crate) body_limits: BodyLimits,
    /// The fields of the response that the client wants.
    pub(crate) wanted: WantedFields,
    /// The selected version of the API, if the application has versions.
    pub(crate) version: Option<ActiveVersion>,
    /// True if a response that the client has already need not be complete.
    pub(crate) is_conditional: bool,
    pub(crate) permit: Permit,
    /// The account of the connection; `None` without a connection, as in tests.
    pub(crate) account: Option<Arc<Account>>,
    /// The charge of the body, until the handler is done.
    pub(crate) charge: Option<Charge>,
}

impl Parts {
    /// Returns a header as text, or `None` if it is missing or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Returns the value of a path parameter, percent-decoded once.
    pub fn path_value(&self, name: &str) -> Option<&str> {
        self.path_values
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the parameters with these names from the query string, percent-decoded once.
    ///
    /// # Errors
    ///
    /// Returns an error if the query string is malformed.
    pub fn query(&self, names: &[&str]) -> Result<Value<'_>, Refusal> {
        let mut fields = self.query_fields()?;
        fields.retain(|(name, _)| names.contains(&name.as_ref()));
        Ok(Value::Map(fields))
    }

    /// Returns true if the connection can be taken over after a 101: see
    /// [`Upgrade`](crate::Upgrade).
    pub fn can_upgrade(&self) -> bool {
        let mark = self.head.extensions.get::<crate::upgrade::CanUpgrade>();
        mark.is_some()
    }

    /// Returns the selected version of the API, unless it is the newest.
    pub fn older_version(&self) -> Option<&'static str> {
        let version = self.version.as_ref()?;
        (!version.is_newest()).then(|| version.name())
    }

    /// Returns the WebSocket subprotocol of the route.
    pub fn protocol(&self) -> Option<&'static str> {
        self.route.protocol
    }

    /// Returns the maximum time for the work of a request on this route.
    pub fn timeout(&self) -> Duration {
        self.route.timeout
    }

    /// Takes the head out, and leaves an empty one.
    pub(crate) fn take_head(&mut self) -> http::request::Parts {
        let empty = http::Request::new(()).into_parts().0;
        std::mem::replace(&mut self.head, empty)
    }

    /// Returns each name in the query string with its value.
    pub(crate) fn query_fields(&self) -> Result<Vec<(Cow<'_, str>, Value<'_>)>, Refusal> {
        match text::query(self.head.uri.query().unwrap_or(""))? {
            Value::Map(fields) => Ok(fields),
            _ => Ok(Vec::new()),
        }
    }
}

/// A request as extractors see it: its parts, its body, and the validation failures so far.
#[derive(Debug)]
pub struct Request {
    /// Everything except the body.
    pub parts: Parts,
    /// The body.
    pub body: Body,
    /// The validation failures that extractors have found.
    pub failures: Failures,
}

impl Request {
    /// Takes the request out, for work that owns it. What stays is an empty request of the same
    /// route and context.
    pub(crate) fn take(&mut self) -> Self {
        let parts = &mut self.parts;
        Self {
            parts: Parts {
                head: parts.take_head(),
                context: parts.context.clone(),
                request_id: parts.request_id,
                peer: parts.peer,
                client: parts.client,
                route: Arc::clone(&parts.route),
                path_values: std::mem::take(&mut parts.path_values),
                body_limits: parts.body_limits,
                wanted: std::mem::take(&mut parts.wanted),
                version: parts.version.clone(),
                is_conditional: parts.is_conditional,
                permit: std::mem::replace(&mut parts.permit, Permit::uncounted()),
                account: parts.account.clone(),
                charge: parts.charge.take(),
            },
            body: std::mem::take(&mut self.body),
            failures: std::mem::take(&mut self.failures),
        }
    }
}
