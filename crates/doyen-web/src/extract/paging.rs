//! Pages: `?limit=` and `?cursor=`, or `?page=` and `?per_page=`.

use doyen_core::problem::Problem as _;
use doyen_core::{At, INVALID_CURSOR, Invalid, PageFrom, Paging, Place, Refusal};
use doyen_schema::Schema;
use doyen_schema::contract::{Contract, Parameter};
use doyen_schema::input::{Input, NO_NUL, Value, text};
use doyen_schema::rule::Range;

use super::{FromRequestParts, ViaParts};
use crate::request::Request;

const NAMES: &[&str] = &["limit", "cursor", "page", "per_page"];

#[diagnostic::do_not_recommend]
impl FromRequestParts<ViaParts> for Paging {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let mut failures = std::mem::take(&mut request.failures);
        let before = failures.len();
        let root = At::root(Place::Query);
        let mut limit = None;
        let mut cursor = None;
        let mut page = None;
        let mut per_page = None;
        if let Value::Map(fields) = request.parts.query(NAMES)? {
            for (name, value) in fields {
                let at = root.field(&name);
                match &*name {
                    "cursor" => cursor = String::parse(value, &at, &mut failures),
                    "limit" => limit = bounded(value, Paging::MAX_LIMIT, &at, &mut failures),
                    "page" => page = bounded(value, Paging::MAX_NUMBER, &at, &mut failures),
                    _ => per_page = bounded(value, Paging::MAX_LIMIT, &at, &mut failures),
                }
            }
        }
        // With both, the cursor takes precedence.
        let is_numbered = cursor.is_none() && (page.is_some() || per_page.is_some());
        let is_valid = failures.len() == before;
        request.failures = failures;
        let from = match cursor {
            _ if is_numbered => PageFrom::Number(page.unwrap_or(1)),
            Some(cursor) => PageFrom::Cursor(cursor),
            None => PageFrom::Start,
        };
        Ok(is_valid.then(|| Paging {
            limit: limit.or(per_page).unwrap_or(Paging::DEFAULT_LIMIT),
            from,
        }))
    }

    fn describe(contract: &mut Contract<'_>) {
        let mut add = |name: &str, schema: Schema, description: &str| {
            contract.operation.parameter(Parameter {
                place: Place::Query,
                name: name.to_owned(),
                required: false,
                schema,
                description: description.to_owned(),
                deprecated: false,
                commas: false,
            });
        };
        let number = |max: u32| {
            Schema::of("integer")
                .with("format", "int32")
                .with("minimum", 1)
                .with("maximum", max)
        };
        add(
            "limit",
            number(Paging::MAX_LIMIT).with("default", Paging::DEFAULT_LIMIT),
            "Maximum number of items to return.",
        );
        add(
            "cursor",
            Schema::of("string")
                .with("minLength", 1)
                .with("maxLength", 1024)
                .with("pattern", NO_NUL),
            "Cursor of the page to return: `page.next` or `page.prev` of an earlier response.",
        );
        add(
            "page",
            number(Paging::MAX_NUMBER),
            "Page number, starting at 1. The response then contains the total. Ignored if `cursor` is set.",
        );
        add(
            "per_page",
            number(Paging::MAX_LIMIT),
            "Maximum number of items on a numbered page.",
        );
        contract.operation.fails([&INVALID_CURSOR]);
        contract.operation.fails(text::TextError::catalogue());
        contract.operation.fails(Invalid::catalogue());
    }
}

fn bounded(
    value: Value<'_>,
    max: u32,
    at: &At<'_>,
    failures: &mut doyen_core::Failures,
) -> Option<u32> {
    let before = failures.len();
    let number = u32::parse(value, at, failures);
    let range = Range {
        min: Some(1.into()),
        max: Some(max.into()),
        ..Range::default()
    };
    match &number {
        Some(number) => range.check(number, at, failures),
        None => range.narrow(at, before, 0, failures),
    }
    number.filter(|_| failures.len() == before)
}
