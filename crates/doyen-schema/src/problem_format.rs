//! The format of problems on the wire.
//!
//! RFC 9457 is the default. An application that keeps the contract of an existing API sets another
//! one: a function from a [`ProblemView`] to an [`Output`]. Its type is the schema, so that the
//! OpenAPI document and the contract check of the test kit follow it.
//!
//! ```
//! # extern crate doyen_schema as doyen;
//! use doyen_schema::{Output, ProblemView};
//!
//! /// An error.
//! #[derive(Output)]
//! struct Envelope {
//!     /// Messages for people.
//!     errors: Vec<String>,
//! }
//!
//! fn envelope(problem: &ProblemView<'_>) -> Envelope {
//!     Envelope { errors: problem.messages() }
//! }
//! # let _ = envelope;
//! ```

mod fastapi;

pub use fastapi::FastApiErrors;

use std::fmt;
use std::sync::Arc;

use doyen_core::{Failure, Failures, INVALID, Problem, ProblemInfo};
use serde_json::Value as Json;

use crate::{Components, Output, Schema};

/// One occurrence of a problem, as a format sees it. It has nothing that the client must not see.
#[derive(Clone, Copy)]
pub struct ProblemView<'a> {
    problem: &'a dyn Problem,
    info: &'static ProblemInfo,
    instance: &'a str,
    request_id: &'a str,
}

impl<'a> ProblemView<'a> {
    /// Creates the view of a problem. `info` is the row that is sent, which differs from that of
    /// the problem for a transient fault.
    pub const fn new(
        problem: &'a dyn Problem,
        info: &'static ProblemInfo,
        instance: &'a str,
        request_id: &'a str,
    ) -> Self {
        Self {
            problem,
            info,
            instance,
            request_id,
        }
    }

    /// Returns code, kind, title and description.
    pub const fn info(&self) -> &'static ProblemInfo {
        self.info
    }

    /// Returns the code.
    pub const fn code(&self) -> &'static str {
        self.info.code
    }

    /// Returns the status of the kind.
    pub const fn status(&self) -> u16 {
        self.info.kind.status()
    }

    /// Returns the detail of this occurrence, or the description.
    pub fn detail(&self) -> String {
        let detail = self.problem.detail();
        detail.unwrap_or_else(|| self.info.description.to_owned())
    }

    /// Returns the path of the request.
    pub const fn instance(&self) -> &'a str {
        self.instance
    }

    /// Returns the id of the request.
    pub const fn request_id(&self) -> &'a str {
        self.request_id
    }

    /// Returns the validation errors; empty for every other problem.
    pub fn failures(&self) -> impl Iterator<Item = &'a Failure> {
        self.problem.failures().into_iter().flatten()
    }

    /// True for a validation problem.
    pub fn is_validation(&self) -> bool {
        self.problem
            .failures()
            .is_some_and(|all: &Failures| !all.is_empty())
    }

    /// Returns the additional members.
    pub fn members(&self) -> Vec<(&'static str, Json)> {
        self.problem.members()
    }

    /// Returns a message for each validation error, after the name of its field, or the detail of
    /// another problem.
    pub fn messages(&self) -> Vec<String> {
        if !self.is_validation() {
            return vec![self.detail()];
        }
        let message = |failure: &Failure| match field_name(failure) {
            "" => failure.message.clone(),
            field => format!("{field} {}", failure.message),
        };
        self.failures().map(message).collect()
    }
}

/// Returns the last segment of the pointer of a failure: the name of the field, or the index of an
/// item.
pub fn field_name(failure: &Failure) -> &str {
    failure.pointer.rsplit('/').next().unwrap_or_default()
}

impl fmt::Debug for ProblemView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

/// The format of every problem of an application.
///
/// Every function from a [`ProblemView`] to an [`Output`] is one. Implement the trait for another
/// media type, another status, or a schema of its own for validation errors.
pub trait ProblemFormat: Send + Sync + 'static {
    /// Returns the media type.
    fn media_type(&self) -> &'static str {
        "application/json"
    }

    /// Returns the status of a problem: 400 to 599. The default is that of its kind. The document
    /// lists the problem under it.
    fn status(&self, info: &ProblemInfo) -> u16 {
        info.kind.status()
    }

    /// Returns the body.
    fn body(&self, problem: &ProblemView<'_>) -> Vec<u8>;

    /// Describes the bodies.
    fn schemas(&self, components: &mut Components) -> ProblemSchemas;

    /// Sends validation errors with another status, such as 400, in the responses and in the
    /// document.
    fn invalid_as(self, status: u16) -> StatusAs<Self>
    where
        Self: Sized,
    {
        self.status_as(INVALID.code, status)
    }

    /// Sends the problem of this code with another status, in the responses and in the document:
    /// `FastApiErrors.status_as("unauthenticated", 403)`.
    fn status_as(self, code: &'static str, status: u16) -> StatusAs<Self>
    where
        Self: Sized,
    {
        StatusAs {
            format: self,
            code,
            status,
        }
    }
}

/// A format with another status of one problem: [`ProblemFormat::status_as`].
#[derive(Clone, Copy, Debug)]
pub struct StatusAs<F> {
    format: F,
    code: &'static str,
    status: u16,
}

impl<F: ProblemFormat> ProblemFormat for StatusAs<F> {
    fn media_type(&self) -> &'static str {
        self.format.media_type()
    }

    fn status(&self, info: &ProblemInfo) -> u16 {
        match info.code == self.code {
            true => self.status,
            false => self.format.status(info),
        }
    }

    fn body(&self, problem: &ProblemView<'_>) -> Vec<u8> {
        self.format.body(problem)
    }

    fn schemas(&self, components: &mut Components) -> ProblemSchemas {
        self.format.schemas(components)
    }
}

/// The schemas of a format.
#[derive(Clone, Debug)]
pub struct ProblemSchemas {
    /// The body of a validation problem.
    pub validation: Schema,
    /// The body of every other problem.
    pub other: Schema,
}

impl<F, T> ProblemFormat for F
where
    F: Fn(&ProblemView<'_>) -> T + Send + Sync + 'static,
    T: Output,
{
    fn body(&self, problem: &ProblemView<'_>) -> Vec<u8> {
        serde_json::to_vec(&self(problem)).unwrap_or_default()
    }

    fn schemas(&self, components: &mut Components) -> ProblemSchemas {
        let schema = T::schema(components);
        ProblemSchemas {
            validation: schema.clone(),
            other: schema,
        }
    }
}

/// A format and its schemas, for the document.
#[derive(Clone)]
pub struct ProblemContract {
    /// The format.
    pub format: Arc<dyn ProblemFormat>,
    /// The schemas.
    pub schemas: ProblemSchemas,
}

impl ProblemContract {
    /// Describes a format.
    pub fn new(format: Arc<dyn ProblemFormat>, components: &mut Components) -> Self {
        let schemas = format.schemas(components);
        Self { format, schemas }
    }

    /// Returns the status of a problem.
    pub fn status(&self, info: &ProblemInfo) -> u16 {
        match self.format.status(info) {
            status @ 400..=599 => status,
            _ => info.kind.status(),
        }
    }

    /// Returns the schema of a problem: `is_validation` is `None` if it may be either.
    pub fn schema(&self, is_validation: Option<bool>) -> Json {
        let ProblemSchemas { validation, other } = &self.schemas;
        let (validation, other) = (validation.as_json(), other.as_json());
        match is_validation {
            Some(true) => validation,
            Some(false) => other,
            None if validation == other => other,
            None => serde_json::json!({"anyOf": [validation, other]}),
        }
    }
}

impl fmt::Debug for ProblemContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProblemContract")
            .field("schemas", &self.schemas)
            .finish_non_exhaustive()
    }
}
