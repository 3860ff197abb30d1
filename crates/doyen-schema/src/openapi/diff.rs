//! The differences between two OpenAPI documents, and which of them break clients.
//!
//! A change breaks clients if a request that was valid is not any more, or if a response can have
//! something that it could not have before. A service refuses unknown fields and parameters, so a
//! removed one breaks too.

mod schema;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// A difference between two documents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// True if it breaks clients.
    pub is_breaking: bool,
    /// Where it is: an operation, and a location in it.
    pub at: String,
    /// Kind of the change, such as `request_field_required`.
    pub kind: &'static str,
    /// What changed.
    pub detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let impact = if self.is_breaking {
            "breaking"
        } else {
            "compatible"
        };
        write!(f, "{impact}  {}  {}: {}", self.kind, self.at, self.detail)
    }
}

/// Returns the differences between two OpenAPI documents, the breaking ones first.
///
/// ```
/// use doyen_schema::diff;
/// use serde_json::json;
///
/// let old = json!({"paths": {"/a": {"get": {"responses": {}}}}});
/// let found = diff(&old, &json!({"paths": {}}));
/// assert_eq!((found[0].kind, found[0].is_breaking), ("operation_removed", true));
/// ```
pub fn diff(old: &Json, new: &Json) -> Vec<Difference> {
    let mut diff = Diff {
        old,
        new,
        found: Vec::new(),
        comparing: Vec::new(),
    };
    let (before, after) = (operations(old), operations(new));
    for (path, method) in &before {
        let at = format!("{} {path}", method.to_uppercase());
        if after.contains(&(path, method)) {
            diff.operation(&at, &old["paths"][path], &new["paths"][path], method);
        } else {
            diff.breaks("operation_removed", &at, "the operation was removed");
        }
    }
    for (path, method) in after.difference(&before) {
        let at = format!("{} {path}", method.to_uppercase());
        diff.fits("operation_added", &at, "the operation is new");
    }
    let mut found = diff.found;
    found.sort_by(|a, b| b.is_breaking.cmp(&a.is_breaking).then_with(|| a.cmp(b)));
    found.dedup();
    found
}

fn operations(document: &Json) -> BTreeSet<(&str, &str)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| METHODS.map(|method| (path, item, method)));
    all.filter(|(_, item, method)| item.get(method).is_some())
        .map(|(path, _, method)| (path.as_str(), method))
        .collect()
}

struct Diff<'a> {
    old: &'a Json,
    new: &'a Json,
    found: Vec<Difference>,
    /// The references whose schemas are being compared: a recursive one is compared once.
    comparing: Vec<(String, String)>,
}

impl Diff<'_> {
    fn breaks(&mut self, kind: &'static str, at: &str, detail: impl Into<String>) {
        self.add(true, kind, at, detail.into());
    }

    fn fits(&mut self, kind: &'static str, at: &str, detail: impl Into<String>) {
        self.add(false, kind, at, detail.into());
    }

    fn add(&mut self, is_breaking: bool, kind: &'static str, at: &str, detail: String) {
        self.found.push(Difference {
            is_breaking,
            at: at.to_owned(),
            kind,
            detail,
        });
    }

    fn operation(&mut self, at: &str, old: &Json, new: &Json, method: &str) {
        let before = parameters(self.old, old, method);
        self.parameters(at, &before, &parameters(self.new, new, method));
        let (old, new) = (&old[method], &new[method]);
        self.body(at, old, new);
        self.responses(at, old, new);
        self.security(at, old, new);
        if new["deprecated"] == true && old["deprecated"] != true {
            self.fits("operation_deprecated", at, "the operation is deprecated");
        }
    }

    fn parameters(&mut self, at: &str, before: &[&Json], after: &[&Json]) {
        for one in before {
            let name = name(one);
            let place = format!("{at} {name}");
            match after.iter().find(|other| self::name(other) == name) {
                None => self.breaks("parameter_removed", &place, "the parameter was removed"),
                Some(other) => {
                    if other["required"] == true && one["required"] != true {
                        self.breaks(
                            "parameter_required",
                            &place,
                            "the parameter became required",
                        );
                    }
                    self.request(&place, &one["schema"], &other["schema"]);
                }
            }
        }
        for one in after {
            let name = name(one);
            if before.iter().any(|other| self::name(other) == name) {
                continue;
            }
            let place = format!("{at} {name}");
            if one["required"] == true {
                self.breaks(
                    "parameter_required",
                    &place,
                    "a required parameter was added",
                );
            } else {
                self.fits("parameter_added", &place, "an optional parameter was added");
            }
        }
    }

    fn body(&mut self, at: &str, old: &Json, new: &Json) {
        let (before, after) = (&old["requestBody"], &new["requestBody"]);
        let place = format!("{at} body");
        match (before.is_null(), after.is_null()) {
            (true, true) => return,
            (false, true) => return self.breaks("body_removed", &place, "the body was removed"),
            (true, false) if after["required"] == true => {
                return self.breaks("body_required", &place, "a required body was added");
            }
            (true, false) => return self.fits("body_added", &place, "an optional body was added"),
            (false, false) => {}
        }
        if after["required"] == true && before["required"] != true {
            self.breaks("body_required", &place, "the body became required");
        }
        self.contents(&place, before, after, true);
    }

    fn responses(&mut self, at: &str, old: &Json, new: &Json) {
        let (before, after) = (&old["responses"], &new["responses"]);
        for (status, response) in before.as_object().into_iter().flatten() {
            let place = format!("{at} {status}");
            let is_success = status.starts_with(['2', '3']);
            let Some(other) = after.get(status) else {
                // A client that handles an error that does not occur any more still works.
                self.add(
                    is_success,
                    "response_removed",
                    &place,
                    "the response was removed".to_owned(),
                );
                continue;
            };
            let before = self.found.len();
            self.contents(&place, response, other, false);
            // A new code of an error is like a new error, which is compatible too.
            for one in &mut self.found[before..] {
                one.is_breaking &= is_success || one.kind != "enum_value_added";
            }
            for (header, _) in response["headers"].as_object().into_iter().flatten() {
                if other["headers"].get(header).is_none() {
                    let detail = format!("the header `{header}` was removed");
                    self.breaks("response_header_removed", &place, detail);
                }
            }
        }
        for (status, _) in after.as_object().into_iter().flatten() {
            if before.get(status).is_none() {
                let place = format!("{at} {status}");
                self.fits("response_added", &place, "the response is new");
            }
        }
    }

    fn contents(&mut self, at: &str, old: &Json, new: &Json, is_request: bool) {
        for (media, content) in old["content"].as_object().into_iter().flatten() {
            let Some(other) = new["content"].get(media) else {
                let detail = format!("the media type `{media}` was removed");
                self.breaks("media_type_removed", at, detail);
                continue;
            };
            if is_request {
                self.request(at, &content["schema"], &other["schema"]);
            } else {
                self.response(at, &content["schema"], &other["schema"]);
            }
        }
    }

    fn security(&mut self, at: &str, old: &Json, new: &Json) {
        let (before, after) = (security(self.old, old), security(self.new, new));
        if before.is_empty() && !after.is_empty() {
            self.breaks(
                "authentication_required",
                at,
                "the operation requires authentication",
            );
            return;
        }
        for (scheme, scopes) in &before {
            match after.iter().find(|(other, _)| other == scheme) {
                None if after.is_empty() => {}
                None => {
                    let detail = format!("the scheme `{scheme}` was removed");
                    self.breaks("security_scheme_removed", at, detail);
                }
                Some((_, others)) => {
                    for scope in others.difference(scopes) {
                        let detail = format!("the scope `{scope}` is required");
                        self.breaks("scope_required", at, detail);
                    }
                }
            }
        }
    }
}

/// Returns the parameters of an operation, and those of its path that it does not replace. Their
/// references are resolved.
fn parameters<'a>(document: &'a Json, path: &'a Json, method: &str) -> Vec<&'a Json> {
    let mut found: Vec<&Json> = Vec::new();
    for list in [&path[method]["parameters"], &path["parameters"]] {
        for one in list.as_array().into_iter().flatten() {
            let one = schema::resolve(document, one);
            if !found.iter().any(|other| name(other) == name(one)) {
                found.push(one);
            }
        }
    }
    found
}

fn name(parameter: &Json) -> String {
    let text = |key: &str| parameter[key].as_str().unwrap_or("").to_owned();
    // Header names are compared without case.
    let name = match parameter["in"].as_str() {
        Some("header") => text("name").to_ascii_lowercase(),
        _ => text("name"),
    };
    format!("{} parameter `{name}`", text("in"))
}

/// Returns each accepted scheme with its scopes.
fn security<'a>(document: &'a Json, operation: &'a Json) -> Vec<(&'a str, BTreeSet<&'a str>)> {
    let own = operation.get("security").unwrap_or(&document["security"]);
    let all = own
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_object)
        .flatten();
    all.map(|(scheme, scopes)| {
        let scopes = scopes
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str);
        (scheme.as_str(), scopes.collect())
    })
    .collect()
}
