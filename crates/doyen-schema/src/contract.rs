//! What a route promises: its parameters, body, answers and errors, as data.
//!
//! Every extractor, answer and policy writes its part into the [`Operation`]; the OpenAPI document, the route table, the audit and the tests
//! are folds over it.

use doyen_core::{Allow, AuthScheme, Place, ProblemInfo};

use crate::{Components, Schema};

/// One route, described.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `GET`, `POST`, ...
    pub method: &'static str,
    /// The full path template, such as `/v1/tickets/{id}`.
    pub path: String,
    /// The stable operation id, such as `tickets_show`.
    pub id: String,
    /// One line: the first paragraph of the handler's doc comment.
    pub summary: String,
    /// The rest of the doc comment.
    pub description: String,
    /// The groups it is shown in; the module's name by default.
    pub tags: Vec<String>,
    /// True when clients should stop using it.
    pub deprecated: bool,
    /// True when it is left out of the document.
    pub hidden: bool,
    /// Who may call it.
    pub allow: Allow,
    /// The authentication schemes that identify its callers. Empty if the route is public.
    pub schemes: Vec<AuthScheme>,
    /// How often, as people read it: `default: 600/1m per user`. Empty when nothing counts its calls.
    pub limits: Vec<String>,
    /// Why nothing counts its calls, when it says so.
    pub unlimited: Option<&'static str>,
    /// Everything read from path, query, header and cookies.
    pub parameters: Vec<Parameter>,
    /// The body it reads.
    pub body: Option<RequestBody>,
    /// The responses that are not problems. Those with the same status are one response in the
    /// document, with the bodies and headers of all.
    pub answers: Vec<Answer>,
    /// The fields `?fields=` can pick from, where the route offers that.
    pub fields: Vec<String>,
    /// Every problem it can answer with.
    pub problems: Vec<&'static ProblemInfo>,
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

    /// Adds a parameter, replacing one of the same name and place.
    pub fn parameter(&mut self, parameter: Parameter) {
        self.parameters
            .retain(|known| known.place != parameter.place || known.name != parameter.name);
        self.parameters.push(parameter);
    }
}

/// Something read from path, query, header or cookie.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Where it stands.
    pub place: Place,
    /// Its name on the wire.
    pub name: String,
    /// True when the request is refused without it.
    pub required: bool,
    /// What it may be.
    pub schema: Schema,
    /// What it means.
    pub description: String,
    /// True when clients should stop sending it.
    pub deprecated: bool,
    /// True if a list in the query is one text with commas; else the name is repeated. Lists in
    /// other places always have commas.
    pub commas: bool,
}

/// A body a route reads.
#[derive(Clone, Debug)]
pub struct RequestBody {
    /// The media types it may have. `*/*` stands for any.
    pub media_types: Vec<&'static str>,
    /// True if a request without a body is rejected.
    pub required: bool,
    /// What it may be.
    pub schema: Schema,
    /// What it means.
    pub description: String,
}

/// An answer that is not a problem.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status, or `None` for any status without an answer of its own.
    pub status: Option<u16>,
    /// When it is given.
    pub description: String,
    /// The media type and shape of the body; `None` for an empty one. `*/*` stands for any media
    /// type.
    pub body: Option<(&'static str, Schema)>,
    /// The header fields it carries.
    pub headers: Vec<HeaderInfo>,
}

impl Answer {
    /// An answer without a body.
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

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &'static str, description: &'static str, schema: Schema) -> Self {
        self.headers.push(HeaderInfo {
            name,
            description,
            schema,
        });
        self
    }
}

/// A header field of an answer.
#[derive(Clone, Debug)]
pub struct HeaderInfo {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// What it may be.
    pub schema: Schema,
}

/// Where extractors, answers and policies write their part: the operation at hand and the schemas shared by all.
#[derive(Debug)]
pub struct Contract<'a> {
    /// The route being described.
    pub operation: &'a mut Operation,
    /// The named schemas of the document.
    pub components: &'a mut Components,
}
