//! The contract of each route, and the mistakes in what it declares.

use std::collections::{BTreeMap, HashSet};

use doyen_core::idempotency::{self, KEY_REQUIRED, MAX_KEY_BYTES};
use doyen_core::limit::QUOTA_EXCEEDED;
use doyen_core::problem::{INTERNAL, UNAVAILABLE};
use doyen_core::{FORBIDDEN, INVALID, Idempotent, Place, ProblemInfo, UNAUTHENTICATED};
use doyen_schema::contract::{Answer, Contract, HeaderInfo, Operation, Parameter};
use doyen_schema::{Components, Schema};

use super::StartError;
use crate::around::BoxLayer;
use crate::cache_rule::CacheRule;
use crate::extract::READ_PRECONDITION_FAILED;
use crate::problem::{self, OVERLOADED, TIMEOUT, URI_TOO_LONG};
use crate::rate_limits::{RateLimits, RouteLimits};
use crate::response;
use crate::route::{Route, RouteFault};

/// Returns the contract of a route, without the problems of its injected types.
pub(super) fn describe(
    route: &Route,
    module: &str,
    outer: &[BoxLayer],
    components: &mut Components,
) -> Operation {
    let mut operation = route.operation.clone();
    operation.id = route.operation_id(module);
    if operation.tags.is_empty() {
        operation.tags.push(module.to_owned());
    }
    if let Some(allow) = route.allow {
        operation.allow = allow;
    }
    let layers = outer.iter().chain(&route.layers);
    let layers = layers.map(|layer| layer.describe);
    let guards = route.guards.iter().map(|guard| guard.describe);
    for describe in layers.chain(guards).chain(route.describe) {
        describe(&mut Contract {
            operation: &mut operation,
            components,
        });
    }
    if let Some(socket) = &mut operation.socket {
        socket.protocol = route.protocol;
    }
    let callbacks = route.callbacks.iter();
    let callbacks = callbacks.map(|call| (call.clone(), call.describe(components)));
    operation.callbacks = callbacks.collect();
    if let (Some(first), false) = (operation.answers.first_mut(), operation.returns.is_empty()) {
        first.description.clone_from(&operation.returns);
    }
    for parameter in &mut operation.parameters {
        parameter.schema = components.loosened(std::mem::take(&mut parameter.schema));
    }
    if let Some(body) = &mut operation.body {
        body.schema = components.loosened(std::mem::take(&mut body.schema));
    }
    if route.sparse && !operation.fields.is_empty() {
        response::describe_sparse(&mut operation, components);
        operation.fails([&INVALID]);
    }
    if !operation.allow.is_public() {
        operation.fails([&UNAUTHENTICATED]);
        if operation.allow.scope().is_some() || operation.allow.roles().next().is_some() {
            operation.fails([&FORBIDDEN]);
        }
    }
    if let Some(mode) = route.idempotent {
        describe_idempotency(mode, &mut operation);
    }
    if route.cache.as_ref().is_some_and(CacheRule::is_stored) {
        describe_stored(&mut operation);
    }
    if operation.is_conditional() {
        // `If-Match` on a read (RFC 9110 section 13.1.1).
        operation.fails([&READ_PRECONDITION_FAILED]);
    }
    if route.concurrency.is_some() {
        operation.fails([&OVERLOADED]);
    }
    // Every route rejects unknown query parameters.
    operation.fails([&INVALID, &INTERNAL, &UNAVAILABLE, &TIMEOUT, &URI_TOO_LONG]);
    operation
}

/// True for a response with a version.
fn is_tagged(answer: &Answer) -> bool {
    answer.headers.iter().any(|header| header.name == "ETag")
}

/// Adds the `ETag` of stored responses. A response that is not stored can lack it.
fn describe_stored(operation: &mut Operation) {
    let answers = operation.answers.iter_mut();
    let stored = answers.filter(|answer| matches!(answer.status, Some(200) | None));
    for answer in stored.filter(|answer| !is_tagged(answer)) {
        answer.headers.push(HeaderInfo {
            name: "ETag".into(),
            description: "Validator of the response, for `If-None-Match`.".into(),
            schema: Schema::of("string"),
            optional: true,
        });
    }
}

/// Adds the header `Idempotency-Key` to the contract.
fn describe_idempotency(mode: Idempotent, operation: &mut Operation) {
    let required = mode == Idempotent::Required;
    operation.parameter(Parameter {
        place: Place::Header,
        name: "Idempotency-Key".to_owned(),
        required,
        schema: Schema::of("string")
            .with("minLength", 1)
            .with("maxLength", MAX_KEY_BYTES)
            .with("pattern", "^[!-~]+$"),
        description: "Random value of the client that identifies the request. A request that is \
                      sent again with the same value has one effect and gets the same response."
            .to_owned(),
        deprecated: false,
        commas: false,
    });
    for answer in &mut operation.answers {
        answer.headers.push(HeaderInfo {
            name: "Idempotency-Replayed".into(),
            description:
                "`true` if this is the stored response of an earlier request with the same key."
                    .into(),
            schema: Schema::of("string").with("const", "true"),
            optional: true,
        });
    }
    operation.fails(idempotency::PROBLEMS);
    // A stored response is not sent to a caller who has lost a role or scope.
    operation.fails([&FORBIDDEN]);
    if required {
        operation.fails([&KEY_REQUIRED]);
    }
    // The body is read before the extractors.
    operation.fails(crate::extract::reading_problems());
}

/// Plans the rate limits of a route and adds them to its contract.
pub(super) fn describe_limits(
    route: &Route,
    operation: &mut Operation,
    limits: Option<&RateLimits>,
) -> Result<Option<RouteLimits>, StartError> {
    let Some(limits) = limits else {
        return Ok(None);
    };
    let label = format!("{} {}", operation.method, operation.path);
    let route_limits = RouteLimits::new(&label, route.limit.as_ref(), limits)
        .map_err(|error| StartError::Limit(label, error))?;
    operation.unlimited = route_limits.plan.unlimited();
    if operation.unlimited.is_none() {
        operation.limits = route_limits.plan.describe();
        operation.fails([&QUOTA_EXCEEDED]);
    }
    Ok(Some(route_limits))
}

/// Returns the mistakes of one route. `has_store` is true if the application stores responses.
pub(super) fn mistakes(route: &Route, operation: &Operation, has_store: bool) -> Vec<StartError> {
    let label = format!("{} {}", operation.method, operation.path);
    let mut errors = Vec::new();
    if route.allow.is_none() {
        errors.push(StartError::NoAllow(label.clone()));
    }
    errors.extend(route.faults.iter().map(|fault| match *fault {
        RouteFault::Allows(first, second) => StartError::Allows(label.clone(), first, second),
        RouteFault::Repeated(what) => StartError::Repeated(label.clone(), what),
    }));
    if let Some(rule) = &route.cache {
        // A route without a policy is reported as such.
        let is_open = route.allow.is_none() || operation.allow.is_public();
        let mistakes = rule.mistakes(operation.method, is_open, has_store);
        let mistakes = mistakes.into_iter();
        errors.extend(mistakes.map(|why| StartError::Cache(label.clone(), why)));
    }
    if route.idempotent.is_some() && matches!(operation.method, "GET" | "HEAD" | "OPTIONS") {
        errors.push(StartError::SafeIdempotent(label.clone()));
    }
    if route.endpoint.is_none() {
        errors.push(StartError::NoHandler(label.clone()));
    }
    if !operation.path.starts_with('/') {
        errors.push(StartError::BadPath(
            label.clone(),
            "a path must start with `/`".to_owned(),
        ));
    }
    for name in names(&operation.path) {
        let read = operation
            .parameters
            .iter()
            .chain(&operation.hidden_parameters)
            .any(|parameter| parameter.place == Place::Path && parameter.name == name);
        if !read && !operation.hidden {
            errors.push(StartError::UnreadPath(label.clone(), name.to_owned()));
        }
    }
    let read = operation.parameters.iter();
    for parameter in read.filter(|parameter| parameter.place == Place::Path) {
        if !names(&operation.path).any(|name| name == parameter.name) {
            let message = format!(
                "it has no `{{{}}}`, which a parameter reads",
                parameter.name
            );
            errors.push(StartError::BadPath(label.clone(), message));
        }
    }
    errors
}

/// Returns why the router does not accept a path.
pub(super) fn path_error(error: &matchit::InsertError) -> String {
    match error {
        matchit::InsertError::Conflict { with } => format!(
            "it is ambiguous with `{with}`. Use the same parameter name in both paths, or change one of them"
        ),
        other => format!("it is malformed: {other}"),
    }
}

/// Returns the parameter names in a path template.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
}

/// Returns routes with the same method and path, or the same operation id.
pub(super) fn duplicates(described: &[(Route, Operation)]) -> Vec<StartError> {
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    for (_, operation) in described {
        let label = format!("{} {}", operation.method, operation.path);
        if !seen.insert(label.clone()) {
            errors.push(StartError::SameRoute(label.clone()));
        } else if let Some(other) = ids.insert(&operation.id, label.clone()) {
            errors.push(StartError::SameId(operation.id.clone(), other, label));
        }
    }
    errors
}

/// Returns every problem of the operations and of the edge, once and by its code.
pub(super) fn catalogue(operations: &[Operation]) -> Vec<&'static ProblemInfo> {
    let all = operations
        .iter()
        .flat_map(|operation| operation.problems.iter().copied());
    let by_code: BTreeMap<&str, _> = all
        .chain(problem::edge_problems())
        .map(|problem| (problem.code, problem))
        .collect();
    by_code.into_values().collect()
}
