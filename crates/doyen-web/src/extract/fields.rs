//! Structs whose fields are read from the query, headers, cookies or the path.

use std::borrow::Cow;

use doyen_core::{At, Failures, Invalid, Place, Refusal};
use doyen_schema::contract::{Contract, Parameter};
use doyen_schema::input::{Object, Value, text};

use super::FromRequestParts;
use crate::request::Request;

/// Reads a struct from the query string, one parameter for each field. Unknown parameters get a
/// 422, unless the struct has `#[input(allow_unknown)]`, which ignores those of the whole route.
///
/// A list is a repeated parameter: `?tag=a&tag=b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<T>(pub T);

/// Reads a struct from headers: the field `request_id` from the header `request-id`, and a field
/// with `#[input(rename = "..")]` from the header of exactly that name.
///
/// The items of a list are separated by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<T>(pub T);

/// Reads a struct from cookies, one cookie for each field. Of two cookies with the same name the
/// first counts. The items of a list are separated by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<T>(pub T);

/// Reads a struct from all path parameters. A single one can be a parameter by name: `id: OrderId`
/// for `/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<T>(pub T);

macro_rules! fields {
    ($name:ident, $place:expr, $source:expr) => {
        impl<T> $name<T> {
            /// Returns the value.
            pub fn into_inner(self) -> T {
                self.0
            }
        }

        impl<T: Object> FromRequestParts for $name<T> {
            async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
                let source: for<'r> fn(&'r Request) -> Result<Value<'r>, Refusal> = $source;
                let mut failures = std::mem::take(&mut request.failures);
                let before = failures.len();
                let at = At::root($place);
                let value = source(request).map(|value| T::parse(value, &at, &mut failures));
                let value = match value {
                    Ok(Some(value)) if T::ASYNC && failures.len() == before => {
                        value
                            .verify(&request.parts.context, &at, &mut failures)
                            .await;
                        (failures.len() == before).then_some(value)
                    }
                    Ok(value) => value,
                    Err(refusal) => return Err(refusal),
                };
                request.failures = if $place == Place::Header {
                    as_headers::<T>(failures, before)
                } else {
                    failures
                };
                Ok(value.map($name))
            }

            fn describe(contract: &mut Contract<'_>) {
                if $place == Place::Query && T::OPEN {
                    contract.operation.open_query = true;
                }
                let fields = T::fields(contract.components).into_iter();
                for (field, header) in fields.zip(T::header_names()) {
                    let parameter = Parameter {
                        place: $place,
                        name: if $place == Place::Header {
                            (*header).to_owned()
                        } else {
                            field.name.to_owned()
                        },
                        required: field.required,
                        // Text has no null: a parameter is present or missing.
                        schema: field.schema.without_null(),
                        description: field.description,
                        deprecated: field.deprecated,
                        commas: false,
                    };
                    if field.hidden {
                        contract.operation.hidden_parameters.push(parameter);
                    } else {
                        contract.operation.parameter(parameter);
                    }
                }
                contract
                    .operation
                    .fails(<Invalid as doyen_core::Problem>::catalogue());
                contract
                    .operation
                    .fails(<text::TextError as doyen_core::Problem>::catalogue());
            }
        }
    };
}

fields!(Query, Place::Query, |request| request
    .parts
    .query(T::names()));
fields!(Header, Place::Header, header::<T>);
fields!(Cookie, Place::Cookie, |request| Ok(cookies(
    request,
    T::names()
)));
fields!(Path, Place::Path, |request| {
    let values = request.parts.path_values.iter();
    // Other extractors may read the other names.
    let values = values.filter(|(name, _)| T::names().contains(&&**name));
    Ok(text::collect(values.map(|(name, value)| {
        (Cow::Borrowed(&**name), Cow::Borrowed(value.as_str()))
    })))
});

/// Names headers as they are sent: failures since `before` point to `/request-id`, not
/// `/request_id`.
fn as_headers<T: Object>(failures: Failures, before: usize) -> Failures {
    let mut named = Failures::with(failures.strictness());
    for (index, failure) in failures.iter().enumerate() {
        let mut failure = failure.clone();
        if index >= before {
            let rest = failure.pointer.strip_prefix('/').unwrap_or_default();
            let (name, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if let Some((_, header)) = headers::<T>().find(|(known, _)| *known == name) {
                failure.pointer = format!("/{header}{after}");
            }
        }
        named.push(failure);
    }
    named
}

/// Returns each field with its header.
fn headers<T: Object>() -> impl Iterator<Item = (&'static str, &'static str)> {
    let names = T::names().iter().copied();
    names.zip(T::header_names().iter().copied())
}

fn header<T: Object>(request: &Request) -> Result<Value<'_>, Refusal> {
    let mut pairs = Vec::new();
    for (name, header) in headers::<T>() {
        for value in request.parts.head.headers.get_all(header) {
            let Ok(value) = value.to_str() else {
                return Err(text::TextError::Utf8.into());
            };
            pairs.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        }
    }
    Ok(text::collect(pairs))
}

fn cookies<'r>(request: &'r Request, names: &'static [&'static str]) -> Value<'r> {
    let all = request
        .parts
        .head
        .headers
        .get_all(http::header::COOKIE)
        .iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (name, value) in pairs {
        // A browser sends two cookies of one name for two paths or domains. The first one is the
        // most specific (RFC 6265 section 5.4), and the user cannot remove the other.
        if names.contains(&name) && found.iter().all(|(known, _)| *known != name) {
            found.push((name, value.trim_matches('"')));
        }
    }
    let found = found.into_iter();
    text::collect(found.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))))
}
