//! The trait.

use crate::{Components, Schema};

/// A type that is written in an answer: it serializes and describes itself. Derive it.
///
/// | on | attributes |
/// | --- | --- |
/// | struct, enum | `rename_all = ".."`, `name = ".."` (in the schema), `skip_none`, `tag = ".."`, `display`, `pattern = ".."`, `format = ".."` |
/// | struct | `etag = field_or_method`, `location = field_or_method`, `computed(name: Type = path, ..)` |
/// | struct, enum | `from = Type` generates `impl From<Type> for Self`; fields and variants correspond by name |
/// | struct | `from = (Type, A, ..)` takes the fields from the first type and makes the other values available to expressions |
/// | field | `value = expr` computes the field in that conversion; `expr` can use each value by the snake-case name of its type |
/// | field | `rename = ".."`, `skip`, `skip_none`, `deprecated`, `example = expr` |
///
/// Doc comments become descriptions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can not be written in an answer",
    label = "nothing says how to serialize and describe a `{Self}`",
    note = "write `#[derive(Output)]` above it; for a type that has `Display`, `#[derive(Output)] #[output(display)]`"
)]
pub trait Output: serde::Serialize + Send + Sync + 'static {
    /// True when [`etag`](Output::etag) gives one: it stands in the document then.
    const TAGGED: bool = false;

    /// True when [`location`](Output::location) gives one: it stands in the document then.
    const LOCATED: bool = false;

    /// The contract. A type with a name registers itself among the components and gives a reference.
    fn schema(all: &mut Components) -> Schema;

    /// Returns false for a value that JSON cannot hold or that the schema excludes: NaN, an
    /// infinite number, a date outside of the years 0001 to 9999. A response with such a value is
    /// an internal error. The fields of a derived type are checked when they are written.
    fn is_writable(&self) -> bool {
        true
    }

    /// What changes whenever the value changes: the text of a strong `ETag`, without quotes.
    fn etag(&self) -> Option<String> {
        None
    }

    /// Where it lives: the `Location` of the answer that tells of its creation. A reference relative to the server, such as
    /// `/v1/orders/7`.
    fn location(&self) -> Option<String> {
        None
    }
}
