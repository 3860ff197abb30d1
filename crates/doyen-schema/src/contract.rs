//! The contract of a route as data: parameters, body, responses and errors.
//!
//! Every extractor, response and policy adds its part to the [`Operation`]. The OpenAPI document,
//! the route table, the audit and the tests are generated from it.

mod outbound;

pub use outbound::OutboundCall;

use std::borrow::Cow;

use doyen_core::{Allow, Place, ProblemExtras, ProblemInfo, SecurityScheme};

use crate::{Components, Schema};

/// The description of one route.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Method: `GET`, `POST`, ...
    pub method: &'static str,
    /// Full path template, such as `/v1/tickets/{id}`.
    pub path: String,
    /// Stable operation id, such as `tickets_show`.
    pub id: String,
    /// Summary: the first paragraph of the handler's doc comment.
    pub summary: String,
    /// Description: the rest of the doc comment.
    pub description: String,
    /// Tags; by default the name of the module.
    pub tags: Vec<String>,
    /// True if it is deprecated.
    pub deprecated: bool,
    /// True if it is not in the document.
    pub hidden: bool,
    /// Access policy.
    pub allow: Allow,
    /// The schemes that identify its callers. Empty if the route is public.
    pub schemes: Vec<SecurityScheme>,
    /// The credentials that the handler reads itself, and whether each is required.
    pub credentials: Vec<(SecurityScheme, bool)>,
    /// How often, as people read it: `default: 600/1m per user`. Empty when nothing counts its
    /// calls.
    pub limits: Vec<String>,
    /// Reason for no rate limit, if stated.
    pub unlimited: Option<&'static str>,
    /// Parameters in path, query, headers and cookies.
    pub parameters: Vec<Parameter>,
    /// Parameters that are read, and that the document leaves out.
    pub hidden_parameters: Vec<Parameter>,
    /// Requests that the service sends because of a call, with the schemas of their bodies.
    pub callbacks: Vec<(OutboundCall, Schema)>,
    /// Description of the first successful response, instead of that of its type.
    pub returns: String,
    /// Functions over the finished operation in the document.
    pub edits: Vec<fn(&mut serde_json::Value)>,
    /// Request body.
    pub body: Option<RequestBody>,
    /// True if the handler reads the body while it arrives, so that no step before may read it.
    pub streams_body: bool,
    /// True if parameters of the query that it does not read are ignored.
    pub open_query: bool,
    /// Successful responses.
    pub answers: Vec<Answer>,
    /// Headers that every response has, also a problem.
    pub common_headers: Vec<HeaderInfo>,
    /// Fields that `?fields=` can select, if the route supports it.
    pub fields: Vec<String>,
    /// Every problem it can return.
    pub problems: Vec<&'static ProblemInfo>,
    /// Additional headers and members of these problems.
    pub extras: Vec<ProblemExtras>,
    /// The messages of a WebSocket, if the route opens one.
    pub socket: Option<SocketContract>,
}

/// The messages of a WebSocket, for the AsyncAPI document. They are no part of the OpenAPI
/// document, which has no place for them.
#[derive(Clone, Copy, Debug)]
pub struct SocketContract {
    /// Describes a message from the client.
    pub receives: fn(&mut Components) -> Schema,
    /// Describes a message from the server.
    pub sends: fn(&mut Components) -> Schema,
    /// The subprotocol.
    pub protocol: Option<&'static str>,
}

impl Operation {
    /// Adds problems, each once.
    pub fn fails(&mut self, problems: impl IntoIterator<Item = &'static ProblemInfo>) {
        for problem in problems {
            if !self
                .problems
                .iter()
                .any(|known| known.code == problem.code && known.kind == problem.kind)
            {
                self.problems.push(problem);
            }
        }
    }

    /// Adds the headers and members of problems, each once.
    pub fn fails_with(&mut self, extras: impl IntoIterator<Item = ProblemExtras>) {
        for extra in extras {
            if !self.extras.contains(&extra) {
                self.extras.push(extra);
            }
        }
    }

    /// True for a read whose response the conditions of RFC 9110 section 13 apply to, with or
    /// without an `ETag`: `If-None-Match: *` is a 304, and any tag in `If-Match` a 412.
    pub fn is_conditional(&self) -> bool {
        let is_ok = |answer: &Answer| matches!(answer.status, Some(200) | None);
        self.method == "GET" && self.answers.iter().any(is_ok)
    }

    /// Adds a credential that the handler reads itself.
    pub fn credential(&mut self, scheme: SecurityScheme, is_required: bool) {
        if !self.credentials.iter().any(|(known, _)| *known == scheme) {
            self.credentials.push((scheme, is_required));
        }
    }

    /// Adds a parameter. It replaces one of the same name and location.
    pub fn parameter(&mut self, parameter: Parameter) {
        self.parameters
            .retain(|known| known.place != parameter.place || known.name != parameter.name);
        self.parameters.push(parameter);
    }
}

/// A parameter in path, query, header or cookie.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Location.
    pub place: Place,
    /// Name on the wire.
    pub name: String,
    /// True if it is required.
    pub required: bool,
    /// Schema.
    pub schema: Schema,
    /// Description.
    pub description: String,
    /// True if it is deprecated.
    pub deprecated: bool,
    /// True if a list in the query is one text with commas; else the name is repeated. Lists in
    /// other places always have commas.
    pub commas: bool,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct RequestBody {
    /// The media types it may have. `*/*` stands for any.
    pub media_types: Vec<&'static str>,
    /// True if a request without a body is rejected.
    pub required: bool,
    /// What it may be.
    pub schema: Schema,
    /// Description.
    pub description: String,
}

/// A successful response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status, or `None` for any status without an answer of its own.
    pub status: Option<u16>,
    /// When it is given.
    pub description: String,
    /// The media type and shape of the body; `None` for an empty one. `*/*` stands for any media
    /// type.
    pub body: Option<(&'static str, Schema)>,
    /// Headers.
    pub headers: Vec<HeaderInfo>,
}

impl Answer {
    /// Creates a response without a body.
    pub fn empty(status: u16, description: &str) -> Self {
        Self {
            status: Some(status),
            description: description.to_owned(),
            body: None,
            headers: Vec::new(),
        }
    }

    /// An answer of any status with any body, for handlers that build the response themselves.
    pub fn any(description: &str) -> Self {
        Self {
            status: None,
            body: Some(("*/*", Schema::any())),
            ..Self::empty(200, description)
        }
    }

    /// An answer with a body.
    pub fn with_body(
        status: u16,
        description: &str,
        media_type: &'static str,
        schema: Schema,
    ) -> Self {
        Self {
            body: Some((media_type, schema)),
            ..Self::empty(status, description)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        schema: Schema,
    ) -> Self {
        self.headers.push(HeaderInfo {
            name: name.into(),
            description: description.into(),
            schema,
            optional: false,
        });
        self
    }

    /// Adds a header that not every response has.
    #[must_use]
    pub fn optional_header(
        mut self,
        name: &'static str,
        description: &'static str,
        schema: Schema,
    ) -> Self {
        self.headers.push(HeaderInfo {
            name: name.into(),
            description: description.into(),
            schema,
            optional: true,
        });
        self
    }
}

/// A response header.
#[derive(Clone, Debug)]
pub struct HeaderInfo {
    /// Name.
    pub name: Cow<'static, str>,
    /// Description.
    pub description: Cow<'static, str>,
    /// Schema.
    pub schema: Schema,
    /// True if the response may lack it.
    pub optional: bool,
}

/// The builder to which extractors, responses and policies add their part: the operation, and the
/// schemas that all share.
#[derive(Debug)]
pub struct Contract<'a> {
    /// The route that is described.
    pub operation: &'a mut Operation,
    /// The named schemas of the document.
    pub components: &'a mut Components,
}
