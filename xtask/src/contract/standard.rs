//! The document conforms to OpenAPI 3.1: it passes the schema of the specification (2022-10-07),
//! each schema in it is a valid JSON Schema, and operation ids and path parameters are consistent.

use serde_json::Value;
use toolkit::process::output;
use toolkit::{Failure, Result};

use super::Subject;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let document: Value = serde_json::from_str(&subject.text()?)?;
    let version = document["openapi"].as_str().unwrap_or("none");
    if !version.starts_with("3.1.") {
        return Err(Failure::new(format!(
            "the document states OpenAPI {version} instead of 3.1"
        )));
    }
    let mut validator = subject.tools.python("python");
    output(
        validator
            .args([
                "-m",
                "openapi_spec_validator",
                "--schema",
                "3.1",
                "--validation-errors",
                "all",
            ])
            .arg(&subject.document),
    )?;
    Ok(format!("valid, {} operations", operations(&document)))
}

/// Returns the number of operations of a document.
pub(super) fn operations(document: &Value) -> usize {
    let paths = document["paths"].as_object();
    let items = paths.into_iter().flat_map(|paths| paths.values());
    items
        .map(|item| {
            METHODS
                .iter()
                .filter(|method| item.get(**method).is_some())
                .count()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::operations;

    #[test]
    fn counts_methods_and_nothing_else() {
        let document = serde_json::json!({"paths": {"/a": {"get": {}, "post": {}, "parameters": []}, "/b": {"delete": {}}}});
        assert_eq!(operations(&document), 3);
        assert_eq!(operations(&serde_json::json!({})), 0);
    }
}
