//! A response.

use std::fmt;
use std::io::Read as _;

use doyen::web::{Cause, Response, problem_code};
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use serde_json::Value as Json;

use crate::Finding;

/// A response, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    asked: String,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The code of a problem, whatever the format of its body.
    code: Option<&'static str>,
    /// The error behind a problem, which the client does not see.
    cause: Option<Cause>,
    /// The last statements of the request, for a failed test and for `assert_plans`.
    statements: Vec<String>,
    findings: Vec<Finding>,
}

impl Answer {
    pub(crate) async fn read(method: &Method, target: &str, response: Response) -> Self {
        let code = problem_code(&response);
        let (head, body) = response.into_parts();
        let cause = head.extensions.get::<Cause>().cloned();
        let asked = format!("{method} {target}");
        let body = match body.collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(error) => panic!("the body of {asked} could not be read: {error}"),
        };
        let coding = head.headers.get(http::header::CONTENT_ENCODING);
        let body = match coding {
            Some(coding) if coding == "gzip" && !body.is_empty() => unpack(&body)
                .unwrap_or_else(|error| panic!("the body of {asked} is not gzip: {error}")),
            _ => body,
        };
        Self {
            asked,
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            code,
            cause,
            statements: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Adds the statements of the request, for the message of a failed test.
    pub(crate) fn with_statements(mut self, statements: Vec<String>) -> Self {
        self.statements = statements;
        self
    }

    pub(crate) fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// Returns the last statements of the request.
    pub(crate) fn statements(&self) -> &[String] {
        &self.statements
    }

    /// Returns the method and the path of the request.
    pub(crate) fn route(&self) -> &str {
        self.asked.split('?').next().unwrap_or_default()
    }

    /// Returns what the plugin `evidence` found in the request.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the code of the problem, in any format; `None` if the response is none.
    pub const fn problem_code(&self) -> Option<&'static str> {
        self.code
    }

    /// Returns the causes of a failure of the service (5xx), outermost first. The client does not
    /// see them.
    pub fn causes(&self) -> Vec<String> {
        let cause = self.cause.as_ref().and_then(|cause| cause.0.cause());
        cause.map(doyen::domain::causes).unwrap_or_default()
    }

    /// Returns the status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first header of this name as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns all headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body, decompressed.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body is not JSON ({error})\n\n{self}"))
    }

    /// Returns the value at this JSON pointer: `at("/items/0/id")`.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> Json {
        match self.json().pointer(pointer) {
            Some(value) => value.clone(),
            None => panic!("there is nothing at `{pointer}`\n\n{self}"),
        }
    }

    /// Returns the text at this JSON pointer.
    #[track_caller]
    pub fn text_at(&self, pointer: &str) -> String {
        match self.at(pointer) {
            Json::String(text) => text,
            _ => panic!("there is no text at `{pointer}`\n\n{self}"),
        }
    }

    /// Returns the `ETag`.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.must("etag")
    }

    /// Returns the `Location`.
    #[track_caller]
    pub fn location(&self) -> String {
        self.must("location")
    }

    #[track_caller]
    fn must(&self, name: &str) -> String {
        match self.header(name) {
            Some(value) => value.to_owned(),
            None => panic!("there is no `{name}`\n\n{self}"),
        }
    }

    /// Returns the problem (RFC 9457).
    #[track_caller]
    pub fn problem(&self) -> Json {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "not a problem\n\n{self}"
        );
        self.json()
    }

    /// Returns the code of the problem, in any format.
    #[track_caller]
    pub fn code(&self) -> String {
        match self.code {
            Some(code) => code.to_owned(),
            None => self.text_of(&self.problem(), "code"),
        }
    }

    #[track_caller]
    fn text_of(&self, object: &Json, name: &str) -> String {
        object[name]
            .as_str()
            .unwrap_or_else(|| panic!("no text `{name}`\n\n{self}"))
            .to_owned()
    }

    /// Returns the errors of a 422, each as `pointer code`, in alphabetical order:
    /// `/subject length`.
    #[track_caller]
    pub fn failures(&self) -> Vec<String> {
        let failures = self.cause.as_ref().and_then(|cause| cause.0.failures());
        let mut all: Vec<String> = match failures {
            Some(failures) => failures
                .iter()
                .map(|failure| format!("{} {}", failure.pointer, failure.code))
                .collect(),
            // A response that was received over a socket.
            None => self.failures_of_body(),
        };
        all.sort();
        all
    }

    #[track_caller]
    fn failures_of_body(&self) -> Vec<String> {
        let problem = self.problem();
        let failures = problem["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no list `errors`\n\n{self}"));
        let text = |failure: &Json| {
            let pointer = self.text_of(failure, "pointer");
            format!("{pointer} {}", self.text_of(failure, "code"))
        };
        failures.iter().map(text).collect()
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert!(
            self.status == status,
            "expected {status}, got {}\n\n{self}",
            self.status
        );
        self
    }

    /// Fails the test unless it is a problem of this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        let given = answer.code();
        assert!(
            given == code,
            "expected the code `{code}`, got `{given}`\n\n{answer}"
        );
        answer
    }
}

fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut body)?;
    Ok(body)
}

/// The response in readable form, for the message of a failed test.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.asked, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        match serde_json::from_slice::<Json>(&self.body) {
            Ok(json) => write!(f, "\n{json:#}")?,
            Err(_) => write!(
                f,
                "\n{}",
                self.text().chars().take(2000).collect::<String>()
            )?,
        }
        if self.status < 500 {
            return Ok(());
        }
        for (at, cause) in self.causes().iter().enumerate() {
            let label = if at == 0 { "cause" } else { "caused by" };
            write!(f, "\n{label}: {cause}")?;
        }
        if !self.statements.is_empty() {
            write!(f, "\nlast statements of the request:")?;
            for statement in &self.statements {
                write!(f, "\n  {statement}")?;
            }
        }
        Ok(())
    }
}
