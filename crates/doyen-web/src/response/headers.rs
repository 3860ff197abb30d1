//! Further headers of a response, from a struct.

use doyen_core::{Refusal, Unexpected};
use doyen_schema::contract::{Contract, HeaderInfo};
use doyen_schema::{Components, output};
use http::{HeaderName, HeaderValue};
use serde_json::Value as Json;

use super::IntoResponse;
use crate::Response;
use crate::request::Parts;

/// A response with headers from the fields of a struct with `#[derive(Output)]`, created by
/// [`IntoResponse::with_headers`].
///
/// The field `cache_hint` is the header `cache-hint`. Text, numbers and booleans are written as
/// they are, an absent value is no header, and a list is a header for each item. A value that no
/// header can have is an internal error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithHeaders<T, H> {
    response: T,
    headers: H,
}

impl<T, H> WithHeaders<T, H> {
    pub(super) const fn new(response: T, headers: H) -> Self {
        Self { response, headers }
    }
}

/// A struct whose fields are headers of a response.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no named fields that could be headers",
    label = "the headers of a response are the fields of a struct",
    note = "write `#[derive(Output)]` above a struct with one field for each header"
)]
pub trait ResponseHeaders: Send {
    /// Adds the headers to a response.
    ///
    /// # Errors
    ///
    /// Returns an error for a value that a header cannot have.
    fn write(&self, response: &mut Response) -> Result<(), Unexpected>;

    /// Describes each header.
    fn describe(components: &mut Components) -> Vec<HeaderInfo>;
}

impl<H: output::parts::Object + Send> ResponseHeaders for H {
    fn write(&self, response: &mut Response) -> Result<(), Unexpected> {
        let Json::Object(fields) = serde_json::to_value(Written(self)).map_err(Unexpected::from)?
        else {
            return Err(Unexpected::new(
                "the headers of the response are not an object",
            ));
        };
        for (field, value) in fields {
            let name = HeaderName::try_from(header_name(&field)).map_err(Unexpected::from)?;
            let values = match value {
                Json::Array(values) => values,
                one => vec![one],
            };
            for value in values {
                let text = match value {
                    Json::Null => continue,
                    Json::String(text) => text,
                    Json::Number(number) => number.to_string(),
                    Json::Bool(value) => value.to_string(),
                    _ => {
                        return Err(Unexpected::new(format!(
                            "the header `{name}` is an object or a nested list"
                        )));
                    }
                };
                let value = HeaderValue::try_from(text).map_err(Unexpected::from)?;
                response.headers_mut().append(name.clone(), value);
            }
        }
        Ok(())
    }

    fn describe(components: &mut Components) -> Vec<HeaderInfo> {
        let fields = H::fields(components).into_iter();
        let described = fields.map(|field| HeaderInfo {
            name: header_name(field.name).into(),
            description: field.description.into(),
            optional: field.schema.clone().without_null() != field.schema,
            schema: field.schema.without_null(),
        });
        described.collect()
    }
}

/// Serializes the fields alone.
struct Written<'a, H: ?Sized>(&'a H);

impl<H: output::parts::Object + ?Sized> serde::Serialize for Written<'_, H> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = to.serialize_map(None)?;
        self.0.write(&mut map)?;
        map.end()
    }
}

fn header_name(field: &str) -> String {
    field.replace('_', "-")
}

impl<T: IntoResponse, H: ResponseHeaders> IntoResponse for WithHeaders<T, H> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = self.response.into_response(parts)?;
        self.headers.write(&mut response)?;
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let before = contract.operation.answers.len();
        T::describe(contract);
        let headers = H::describe(contract.components);
        for answer in &mut contract.operation.answers[before..] {
            answer.headers.extend(headers.iter().cloned());
        }
    }
}
