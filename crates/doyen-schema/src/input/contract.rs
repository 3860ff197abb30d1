//! The input traits.

use doyen_core::inject::{BoxFuture, Context};
use doyen_core::{At, Failures};

use super::Value;
use crate::{Components, Schema};

/// Maximum number of errors in one response. A client with more errors learns of the others after
/// it has corrected these.
pub const MAX_FAILURES: usize = 100;

/// A type that is read from a request: it parses, validates and describes itself. Derive it.
///
/// | on | attributes |
/// | --- | --- |
/// | struct, enum | `rename_all = ".."`, `name = ".."` (in the schema), `allow_unknown`, `from_str`, `parse_with = path`, `example = json` (of the whole, once for each), `tag = ".."`, `untagged` |
/// | struct, enum | `into = Type` generates `impl From<Self> for Type`; fields and variants correspond by name |
/// | struct | `set(field = expr, ..)` gives values to fields of that type; `expr` can use the input by the snake-case name of its type |
/// | field | `rename = ".."`, `default`, `default = expr`, `deprecated`, `example = expr`, `with = module`, `recursive`, `skip_into` (left out of the conversion), `hidden` (a parameter that the document leaves out) |
/// | field | `#[validate(..)]` with [rules](crate::rule) |
///
/// Doc comments become descriptions. `recursive` is for types that contain each other (`A` a `B`,
/// and `B` an `A`); a type that contains itself does not need it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a request",
    label = "nothing says how to parse, check and describe a `{Self}`",
    note = "write `#[derive(Input)]` above it,",
    note = "for a type that has `FromStr`, `#[derive(Input)] #[input(from_str)]`,",
    note = "for a type of another crate, `#[input(with = module)]` on the field or a newtype of your own"
)]
pub trait Input: Sized + Send + Sync + 'static {
    /// False for a type that accepts a missing field, such as `Option`.
    const REQUIRED: bool = true;

    /// True if a rule of it, or of a type in it, is asynchronous: then [`verify`](Input::verify)
    /// must be called after `parse`.
    const ASYNC: bool = false;

    /// Parses a value and checks its rules. Records every error; returns `Some` only if there was
    /// none.
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self>;

    /// Handles a missing field. The default records `required`.
    fn absent(at: &At<'_>, out: &mut Failures) -> Option<Self> {
        at.fail(out, "required", "is required");
        None
    }

    /// Returns the schema. A type with a name registers itself among the components and returns a
    /// reference.
    fn schema(all: &mut Components) -> Schema;

    /// Checks the asynchronous rules of a value from [`parse`](Input::parse).
    fn verify<'a>(
        &'a self,
        cx: &'a Context,
        at: &'a At<'a>,
        out: &'a mut Failures,
    ) -> BoxFuture<'a, ()> {
        let _ = (cx, at, out);
        Box::pin(std::future::ready(()))
    }
}

/// An input with named fields, for a query string, headers, cookies or a form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no named fields",
    label = "a query, a form, headers and cookies are read into a struct with named fields",
    note = "write `#[derive(Input)]` above a struct with one field for each parameter"
)]
pub trait Object: Input {
    /// True if unknown fields are allowed.
    const OPEN: bool = false;

    /// Returns the names of its fields on the wire, in order.
    fn names() -> &'static [&'static str];

    /// The names of its fields as headers, in order. Derived types have a hyphen for each
    /// underscore, except in a name that was given with `rename`. The default is
    /// [`names`](Object::names).
    fn header_names() -> &'static [&'static str] {
        Self::names()
    }

    /// Each field, in order.
    fn fields(all: &mut Components) -> Vec<Field>;
}

/// A field of an object, or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// True if it is required.
    pub required: bool,
    /// Schema, without the description.
    pub schema: Schema,
    /// Doc comment.
    pub description: String,
    /// True if it is deprecated.
    pub deprecated: bool,
    /// True if the document leaves it out where it is a parameter. A field of a body is always in
    /// its schema.
    pub hidden: bool,
}
