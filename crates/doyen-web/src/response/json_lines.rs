//! Lists that are sent item by item: JSON Lines and CSV.

use std::marker::PhantomData;

use bytes::Bytes;
use doyen_core::Refusal;
use doyen_schema::contract::{Answer, Contract};
use doyen_schema::{Output, Schema, output};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, header};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::Value as Json;

use super::IntoResponse;
use super::json::UNWRITABLE;
use crate::body::BoxError;
use crate::request::Parts;
use crate::{Body, Response};

/// 200 with one JSON document a line (`application/jsonl`), each sent as soon as it exists.
///
/// Like a [`Stream`](super::Stream) it is sent after the commit. An error aborts the connection, so
/// that the client notices that the list is incomplete.
///
/// ```
/// use doyen_web::JsonLines;
///
/// async fn numbers() -> JsonLines<u32> {
///     JsonLines::all(futures_util::stream::iter([1, 2, 3]))
/// }
/// # let _ = numbers;
/// ```
pub struct JsonLines<T> {
    body: Body,
    item: PhantomData<fn() -> T>,
}

/// 200 with CSV (RFC 4180) whose columns are the fields of `T`, with a line of their names.
///
/// A text that begins with `=`, `+`, `-` or `@` is sent as it is, and a spreadsheet may run it as a
/// formula: leave untrusted text out, or check it.
pub struct CsvRows<T> {
    body: Body,
    item: PhantomData<fn() -> T>,
}

macro_rules! debug {
    ($($name:ident),*) => {$(
        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(JsonLines, CsvRows);

impl<T: Output> JsonLines<T> {
    /// Sends the items of a stream, until an error.
    pub fn new<S, E>(items: S) -> Self
    where
        S: futures_util::Stream<Item = Result<T, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let lines = items.map(|item| line(&item.map_err(Into::into)?));
        Self {
            body: body(lines),
            item: PhantomData,
        }
    }

    /// Sends the items of a stream that does not fail.
    pub fn all<S>(items: S) -> Self
    where
        S: futures_util::Stream<Item = T> + Send + 'static,
    {
        Self {
            body: body(items.map(|item| line(&item))),
            item: PhantomData,
        }
    }
}

impl<T: Output + output::parts::Object> CsvRows<T> {
    /// Sends the items of a stream, until an error.
    pub fn new<S, E>(items: S) -> Self
    where
        S: futures_util::Stream<Item = Result<T, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let names = names::<T>();
        let head = stream::once(std::future::ready(Ok(record(names.iter().copied()))));
        let rows = items.map(move |item| row(&item.map_err(Into::into)?, &names));
        Self {
            body: body(head.chain(rows)),
            item: PhantomData,
        }
    }

    /// Sends the items of a stream that does not fail.
    pub fn all<S>(items: S) -> Self
    where
        S: futures_util::Stream<Item = T> + Send + 'static,
    {
        Self::new(items.map(Ok::<T, BoxError>))
    }
}

fn body<S>(lines: S) -> Body
where
    S: futures_util::Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    Body::stream(StreamBody::new(lines.map(|line| line.map(Frame::data))))
}

/// Writes an item as a line of JSON. JSON has no line break outside of escapes.
fn line<T: Output>(item: &T) -> Result<Bytes, BoxError> {
    if !item.is_writable() {
        return Err(UNWRITABLE.into());
    }
    let mut line = serde_json::to_vec(item)?;
    line.push(b'\n');
    Ok(line.into())
}

fn names<T: output::parts::Object>() -> Vec<&'static str> {
    let fields = T::fields(&mut doyen_schema::Components::new());
    fields.into_iter().map(|field| field.name).collect()
}

fn row<T: Output>(item: &T, names: &[&'static str]) -> Result<Bytes, BoxError> {
    let json = serde_json::to_value(item)?;
    let cell = |name: &&'static str| match json.get(name) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        // A list or an object is a cell of JSON.
        Some(other) => other.to_string(),
    };
    let cells: Vec<String> = names.iter().map(cell).collect();
    Ok(record(cells.iter().map(String::as_str)))
}

/// Writes a record: a cell with a quote, a comma or a line break is quoted.
fn record<'a>(cells: impl Iterator<Item = &'a str>) -> Bytes {
    let mut text = String::new();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
    }
    text.push_str("\r\n");
    text.into()
}

fn respond(body: Body, media: &'static str) -> Response {
    let mut response = Response::new(body);
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

impl<T: Output> IntoResponse for JsonLines<T> {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        Ok(respond(self.body, "application/jsonl"))
    }

    fn describe(contract: &mut Contract<'_>) {
        // OpenAPI 3.1 has no schema for the items of a stream; JSON Schema has one for the content
        // of a string.
        let schema = Schema::of("string")
            .with("contentMediaType", "application/json")
            .with("contentSchema", T::schema(contract.components));
        let text = "One JSON document a line, each sent as soon as it exists. `contentSchema` describes a line.";
        let answer = Answer::with_body(200, text, "application/jsonl", schema);
        contract.operation.answers.push(answer);
    }
}

impl<T: Output + output::parts::Object> IntoResponse for CsvRows<T> {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        Ok(respond(
            self.body,
            "text/csv; charset=utf-8; header=present",
        ))
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = Schema::of("string").with("contentMediaType", "text/csv");
        let text = format!("CSV with the columns `{}`.", names::<T>().join("`, `"));
        let answer = Answer::with_body(200, &text, "text/csv", schema);
        contract.operation.answers.push(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        let cells = ["a", "b,c", "say \"x\"", "two\nlines", ""];
        assert_eq!(
            record(cells.into_iter()),
            "a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",\r\n"
        );
    }
}
