//! The output trait.

use crate::{Components, Schema};

/// A type that is written in a response: it serializes and describes itself. Derive it.
///
/// | on | attributes |
/// | --- | --- |
/// | struct, enum | `rename_all = ".."`, `name = ".."` (in the schema), `skip_none`, `tag = ".."`, `untagged`, `display`, `pattern = ".."`, `format = ".."` |
/// | struct | `etag = field_or_method`, `location = field_or_method`, `computed(name: Type = path, ..)` |
/// | struct, enum | `from = Type` generates `impl From<Type> for Self`; fields and variants correspond by name |
/// | struct | `from = (Type, A, ..)` takes the fields from the first type and makes the other values available to expressions |
/// | field | `value = expr` computes the field in that conversion; `expr` can use each value by the snake-case name of its type |
/// | field | `rename = ".."`, `skip`, `skip_none`, `deprecated`, `example = expr` |
///
/// Doc comments become descriptions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written in a response",
    label = "nothing says how to serialize and describe a `{Self}`",
    note = "write `#[derive(Output)]` above it; for a type that has `Display`, `#[derive(Output)] #[output(display)]`"
)]
pub trait Output: serde::Serialize + Send + Sync + 'static {
    /// True if [`etag`](Output::etag) returns a value; then it is documented.
    const TAGGED: bool = false;

    /// True if [`location`](Output::location) returns a value; then it is documented.
    const LOCATED: bool = false;

    /// Returns the schema. A type with a name registers itself among the components and returns a
    /// reference.
    fn schema(all: &mut Components) -> Schema;

    /// Returns false for a value that JSON cannot hold or that the schema excludes: NaN, an
    /// infinite number, a date outside of the years 0001 to 9999. A response with such a value is
    /// an internal error. The fields of a derived type are checked when they are written.
    fn is_writable(&self) -> bool {
        true
    }

    /// Returns a text that changes whenever the value changes: the strong `ETag`, without quotes.
    /// Visible ASCII characters except `"`; others are an internal error.
    fn etag(&self) -> Option<String> {
        None
    }

    /// Returns the `Location` in the response to its creation. A reference relative to the server,
    /// such as `/v1/orders/7`. Characters that a URL cannot have are percent-encoded.
    fn location(&self) -> Option<String> {
        None
    }
}
