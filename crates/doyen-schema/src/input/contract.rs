//! The traits: what every type that is read can do.

use doyen_core::inject::{BoxFuture, Context};
use doyen_core::{At, Failures};

use super::Value;
use crate::{Components, Schema};

/// How many failures one request collects at most. A client that sends more wrong values learns of
/// the rest after it mended these.
pub const MAX_FAILURES: usize = 100;

/// A type that is read from a request: it parses, checks and describes itself. Derive it.
///
/// | on | attributes |
/// | --- | --- |
/// | struct, enum | `rename_all = ".."`, `name = ".."` (in the schema), `allow_unknown`, `from_str`, `parse_with = path`, `tag = ".."` |
/// | struct, enum | `into = Type` generates `impl From<Self> for Type`; fields and variants correspond by name |
/// | struct | `set(field = expr, ..)` gives values to fields of that type; `expr` can use the input by the snake-case name of its type |
/// | field | `rename = ".."`, `default`, `default = expr`, `deprecated`, `example = expr`, `with = module`, `recursive`, `skip_into` (left out of the conversion) |
/// | field | `#[validate(..)]` with [rules](crate::rule) |
///
/// Doc comments become descriptions. `recursive` is for types that hold each other (`A` a `B`, and
/// `B` an `A`); a type that holds itself needs nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a request",
    label = "nothing says how to parse, check and describe a `{Self}`",
    note = "write `#[derive(Input)]` above it,",
    note = "for a type that has `FromStr`, `#[derive(Input)] #[input(from_str)]`,",
    note = "for a type of another crate, `#[input(with = module)]` on the field or a newtype of your own"
)]
pub trait Input: Sized + Send + Sync + 'static {
    /// False for a type that stands for a missing field too, such as `Option`.
    const REQUIRED: bool = true;

    /// True when a rule of it, or of a type in it, is asynchronous: then [`verify`](Input::verify)
    /// must be called after `parse`.
    const ASYNC: bool = false;

    /// Reads a value and checks its rules. Records every failure; gives `Some` only if it recorded
    /// none.
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self>;

    /// What a missing field is. The default records `required`.
    fn absent(at: &At<'_>, out: &mut Failures) -> Option<Self> {
        at.fail(out, "required", "is required");
        None
    }

    /// The contract. A type with a name registers itself among the components and gives a
    /// reference.
    fn schema(all: &mut Components) -> Schema;

    /// Checks the asynchronous rules. Only for values that [`parse`](Input::parse) gave.
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

/// An input with named fields: what a query string, headers, cookies or a form can be read as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no named fields",
    label = "a query, a form, headers and cookies are read into a struct with named fields",
    note = "write `#[derive(Input)]` above a struct with one field for each parameter"
)]
pub trait Object: Input {
    /// True when fields that are not listed are allowed.
    const OPEN: bool = false;

    /// The names of its fields on the wire, in order.
    fn names() -> &'static [&'static str];

    /// The names of its fields as headers, in order. Derived types have a hyphen for each underscore,
    /// except in a name that was given with `rename`. The default is [`names`](Object::names).
    fn header_names() -> &'static [&'static str] {
        Self::names()
    }

    /// Each field, in order.
    fn fields(all: &mut Components) -> Vec<Field>;
}

/// One field of an object, or one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// True when it may not be missing.
    pub required: bool,
    /// Its contract, without the description.
    pub schema: Schema,
    /// The doc comment.
    pub description: String,
    /// True when clients should stop sending it.
    pub deprecated: bool,
}
