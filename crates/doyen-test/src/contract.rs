//! The contract check: every response is compared with the OpenAPI document.
//!
//! For a response: the status and media type are documented, the documented headers of a success
//! are present, the body is valid against its schema, and the code of a problem is listed for its
//! status. For a request: a body that was accepted must be valid against its schema; otherwise the
//! document forbids a valid request.
//!
//! Routes that are not in the document, and responses before a route is known (404, 405, 414), must
//! only be well-formed problems.

use std::collections::HashMap;
use std::sync::Mutex;

use doyen::domain::sync;
use doyen::schema::contract::{Answer as ContractAnswer, Operation};
use doyen::schema::path_key;
use doyen::web::{Service, VersionSet};
use jsonschema::Validator;
use serde_json::{Value as Json, json};

use crate::{Answer, Call};

/// Statuses that the server may return before it knows the route.
const EDGE: [&str; 4] = [
    "uri_too_long",
    "malformed_path",
    "overloaded",
    "malformed_request",
];
const PROBLEM: &str = "application/problem+json";

/// The OpenAPI document, and a validator for each schema that was used.
pub(crate) struct Document {
    json: Json,
    operations: Vec<Operation>,
    /// The format of problems, if it is not RFC 9457.
    problems: Option<Format>,
    validators: Mutex<HashMap<String, std::sync::Arc<Validator>>>,
    versions: Option<std::sync::Arc<VersionSet>>,
    /// The prefix of public URLs.
    root: String,
    /// The documents of older versions.
    older: HashMap<&'static str, Document>,
}

/// The media type and the schema of problems in the format of the application.
#[derive(Clone)]
struct Format {
    media_type: &'static str,
    schema: Json,
}

impl Document {
    pub(crate) fn new(text: &str, service: &Service) -> Self {
        let json: Json = serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("the OpenAPI document is no JSON: {error}"));
        let problems = service.components().problems.as_ref().map(|contract| {
            let mut schema = contract.schema(None);
            service.components().settle(&mut schema);
            Format {
                media_type: contract.format.media_type(),
                schema,
            }
        });
        let versions = service.versions().cloned();
        let older = versions
            .iter()
            .flat_map(|all| all.live().skip(1).map(move |name| (all, name)));
        let older = older.map(|(all, name)| {
            let mut json = json.clone();
            all.document(name, &mut json);
            (name, Self::plain(json, service, problems.clone()))
        });
        Self {
            older: older.collect(),
            versions: versions.clone(),
            ..Self::plain(json.clone(), service, problems.clone())
        }
    }

    fn plain(json: Json, service: &Service, problems: Option<Format>) -> Self {
        Self {
            json,
            operations: service.operations().to_vec(),
            root: service.root_path().as_str().to_owned(),
            problems,
            validators: Mutex::default(),
            versions: None,
            older: HashMap::new(),
        }
    }

    pub(crate) const fn json(&self) -> &Json {
        &self.json
    }

    /// Returns the violation of an exchange, if any. It is checked against the document of the
    /// version that the response states.
    pub(crate) fn check(&self, call: &Call, answer: &Answer) -> Result<(), String> {
        let version = self
            .versions
            .as_ref()
            .and_then(|_| answer.header("api-version"));
        let path = call.target.split('?').next().unwrap_or("");
        // The paths of the document are those below the version.
        let below = version
            .and_then(|name| path.strip_prefix('/')?.strip_prefix(name))
            .filter(|rest| rest.starts_with('/'));
        let path = below.unwrap_or(path);
        match version.and_then(|name| self.older.get(name)) {
            Some(older) => older.check_one(path, call, answer),
            None => self.check_one(path, call, answer),
        }
    }

    fn check_one(&self, path: &str, call: &Call, answer: &Answer) -> Result<(), String> {
        let method = call.method.as_str();
        if method == "OPTIONS" {
            return Ok(());
        }
        let problem =
            answer.problem_code().is_some() || answer.header("content-type") == Some(PROBLEM);
        if problem && method != "HEAD" {
            self.check_problem(answer)
                .map_err(|why| format!("{method} {path} returned a malformed problem: {why}"))?;
        }
        let wanted = if method == "HEAD" { "GET" } else { method };
        let Some(operation) = self
            .find(wanted, path)
            .filter(|operation| !operation.hidden)
        else {
            return Ok(());
        };
        if problem && method != "HEAD" && EDGE.contains(&answer.code().as_str()) {
            return Ok(());
        }
        self.check_answer(operation, method == "HEAD", answer)
            .and_then(|()| self.check_accepted(operation, call, answer))
            .map_err(|why| {
                format!(
                    "{method} {} (`{}`) breaks its contract: {why}",
                    operation.path, operation.id
                )
            })
    }

    fn check_problem(&self, answer: &Answer) -> Result<(), String> {
        let wanted = self
            .problems
            .as_ref()
            .map_or(PROBLEM, |format| format.media_type);
        same(
            "the media type",
            &json!(answer.header("content-type")),
            &json!(wanted),
        )?;
        if let Some(format) = &self.problems {
            return if essence(wanted).ends_with("json") {
                self.valid("problem", &format.schema, &answer.json())
            } else {
                Ok(())
            };
        }
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let body = answer.json();
        self.valid("problem", &schema, &body)?;
        let code = body["code"].as_str().unwrap_or_default();
        same("`status`", &body["status"], &json!(answer.status()))?;
        same(
            "`request_id`",
            &body["request_id"],
            &json!(answer.header("x-request-id")),
        )?;
        let page = format!("{}/problems/{code}", self.root);
        same("`type`", &body["type"], &json!(page))
    }

    fn check_answer(
        &self,
        operation: &Operation,
        head: bool,
        answer: &Answer,
    ) -> Result<(), String> {
        let place = format!(
            "{} {} {}",
            operation.method,
            operation.path,
            answer.status()
        );
        let responses = &self.described(operation)["responses"];
        let own = responses.get(answer.status().to_string());
        let Some(response) = own.or_else(|| responses.get("default")) else {
            let known: Vec<&str> = responses
                .as_object()
                .into_iter()
                .flatten()
                .map(|(status, _)| status.as_str())
                .collect();
            return Err(format!(
                "the status {} is not documented; documented are {}",
                answer.status(),
                known.join(", ")
            ));
        };
        if answer.header("x-request-id").is_none() {
            return Err("there is no `X-Request-Id`".to_owned());
        }
        if answer.status() < 300 {
            for (name, header) in response["headers"].as_object().into_iter().flatten() {
                let Some(value) = answer.header(name) else {
                    // Not everything that is created has an address of its own.
                    if name == "Location" || header["required"] == json!(false) {
                        continue;
                    }
                    return Err(format!("the documented header `{name}` is missing"));
                };
                if let Some(schema) = header.get("schema") {
                    // A header is text, whatever its type.
                    let value = match schema["type"].as_str() {
                        Some("integer" | "number" | "boolean") => {
                            serde_json::from_str(value).unwrap_or_else(|_| json!(value))
                        }
                        _ => json!(value),
                    };
                    self.valid(&format!("{place} {name}"), schema, &value)
                        .map_err(|why| format!("`{name}`: {why}"))?;
                }
            }
        }
        let Some(content) = response.get("content").and_then(Json::as_object) else {
            return if answer.bytes().is_empty() {
                Ok(())
            } else {
                Err("there is a body, and none is documented".to_owned())
            };
        };
        // One of several responses of a status can be empty, which a document cannot say.
        let is_empty =
            |other: &ContractAnswer| other.status == Some(answer.status()) && other.body.is_none();
        if answer.bytes().is_empty() && operation.answers.iter().any(is_empty) {
            return Ok(());
        }
        let media = essence(answer.header("content-type").unwrap_or(""));
        let Some(schema) = schema_of(content, &media) else {
            let known: Vec<&str> = content.keys().map(String::as_str).collect();
            return Err(format!(
                "the media type `{media}` is not documented for {}; documented is {}",
                answer.status(),
                known.join(", ")
            ));
        };
        if head {
            return if answer.bytes().is_empty() {
                Ok(())
            } else {
                Err("the response to HEAD has a body".to_owned())
            };
        }
        if !media.ends_with("json") {
            return Ok(());
        }
        let body = serde_json::from_slice(answer.bytes())
            .map_err(|error| format!("the body is not JSON: {error}"))?;
        self.valid(&format!("{place} {media}"), schema, &body)
    }

    /// An accepted request must be valid by the document.
    fn check_accepted(
        &self,
        operation: &Operation,
        call: &Call,
        answer: &Answer,
    ) -> Result<(), String> {
        let Some(content) = self.described(operation).pointer("/requestBody/content") else {
            return Ok(());
        };
        if answer.status() >= 300 {
            return Ok(());
        }
        let given = call
            .headers
            .iter()
            .find(|(name, _)| name == "content-type")
            .map_or("", |(_, value)| value.as_str());
        let media = essence(given);
        let required = self.described(operation).pointer("/requestBody/required");
        if call.body.is_empty() && given.is_empty() && required == Some(&json!(false)) {
            return Ok(());
        }
        let Some(schema) = content.as_object().and_then(|all| schema_of(all, &media)) else {
            return Err(format!(
                "it accepted a body of the media type `{media}`, which the document does not list"
            ));
        };
        if !media.ends_with("json") {
            return Ok(());
        }
        let body = serde_json::from_slice(&call.body)
            .map_err(|error| format!("it accepted a body that is not JSON: {error}"))?;
        let place = format!("{} {} body {media}", operation.method, operation.path);
        self.valid(&place, schema, &body)
            .map_err(|why| format!("it accepted a body that the document forbids: {why}"))
    }

    /// An operation of the document.
    fn described(&self, operation: &Operation) -> &Json {
        &self.json["paths"][path_key(&operation.path)][operation.method.to_lowercase()]
    }

    /// Returns the operation for a path. Literal segments win over parameters, as in the router.
    fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let fits = self
            .operations
            .iter()
            .filter(|operation| operation.method == method && fits(&operation.path, path));
        fits.min_by_key(|operation| {
            let segments = operation.path.split('/');
            segments
                .map(|segment| (segment.starts_with('{'), segment.starts_with("{*")))
                .collect::<Vec<_>>()
        })
    }

    fn valid(&self, place: &str, schema: &Json, value: &Json) -> Result<(), String> {
        let validator = self.validator(place, schema)?;
        let errors: Vec<String> = validator
            .iter_errors(value)
            .take(5)
            .map(|error| format!("{} (at `{}`)", error, error.instance_path()))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.join("; "))
        }
    }

    fn validator(&self, place: &str, schema: &Json) -> Result<std::sync::Arc<Validator>, String> {
        let mut known = sync::lock(&self.validators);
        if let Some(validator) = known.get(place) {
            return Ok(std::sync::Arc::clone(validator));
        }
        // References of the document are to its components, so those are added.
        let whole = json!({"allOf": [schema], "components": self.json["components"]});
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&whole)
            .map_err(|error| format!("the document has an invalid schema: {error}"))?;
        let validator = std::sync::Arc::new(validator);
        known.insert(place.to_owned(), std::sync::Arc::clone(&validator));
        Ok(validator)
    }
}

/// The schema of a body of this media type.
fn schema_of<'a>(content: &'a serde_json::Map<String, Json>, media: &str) -> Option<&'a Json> {
    let described = content.get(media).or_else(|| content.get("*/*"));
    described.map(|described| &described["schema"])
}

/// A media type without its parameters.
fn essence(media: &str) -> String {
    media
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase()
}

fn same(what: &str, given: &Json, wanted: &Json) -> Result<(), String> {
    if given == wanted {
        Ok(())
    } else {
        Err(format!("{what} is {given}, and should be {wanted}"))
    }
}

/// True if a path matches a template.
fn fits(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for wanted in template.split('/') {
        if wanted.starts_with("{*") {
            return segments.next().is_some_and(|segment| !segment.is_empty());
        }
        let fits = segments.next().is_some_and(|given| {
            if wanted.starts_with('{') {
                !given.is_empty()
            } else {
                given == wanted
            }
        });
        if !fits {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_path_fits_its_template() {
        assert!(fits("/v1/tickets", "/v1/tickets"));
        assert!(fits("/v1/tickets/{id}", "/v1/tickets/7"));
        assert!(fits("/files/{*rest}", "/files/a/b"));
        assert!(!fits("/v1/tickets/{id}", "/v1/tickets"));
        assert!(!fits("/v1/tickets/{id}", "/v1/tickets/"));
        assert!(!fits("/v1/tickets/{id}", "/v1/tickets/7/8"));
        assert!(!fits("/v1/tickets", "/v1/tickets/"));
    }
}
