//! The input side of a field: its settings.

mod code;

use syn::{Expr, Path};

use super::model::Text;
use super::rule::{self, Rule};
use crate::shape::args::{Arg, Body};
use crate::shape::{self, Side};
use crate::text::Errors;

/// The settings of a field that only `Input` has.
pub(crate) struct Details {
    pub(crate) default: Option<Default>,
    pub(crate) with: Option<Path>,
    pub(crate) recursive: bool,
    pub(crate) rules: Vec<Rule>,
    /// True for a field that `#[input(into = Type)]` leaves out.
    pub(crate) skip_into: bool,
    /// True for a parameter that the document leaves out.
    pub(crate) hidden: bool,
}

/// The value of a missing field.
pub(crate) enum Default {
    /// `Default::default()`.
    Plain,
    /// An expression.
    Value(Box<Expr>),
}

/// The input side of a shape.
pub(crate) struct Reading;

pub(crate) type Field = shape::Field<Reading>;

impl Side for Reading {
    const ATTRIBUTE: &'static str = "input";
    const VERB: &'static str = "read";
    const TEXT: &'static str = "from_str";
    const FIELD_ARGUMENTS: &'static [&'static str] = &[
        "rename",
        "default",
        "deprecated",
        "example",
        "with",
        "recursive",
        "skip_into",
        "hidden",
    ];
    const NEWTYPE_ARGUMENTS: &'static [&'static str] = &["recursive"];

    type Details = Details;
    type Text = Text;

    fn details(field: &syn::Field, errors: &mut Errors) -> Details {
        Details {
            default: None,
            with: None,
            recursive: false,
            rules: rule::read(&field.attrs, errors),
            skip_into: false,
            hidden: false,
        }
    }

    fn apply(field: &mut Field, arg: &Arg) -> Option<syn::Result<()>> {
        let details = &mut field.details;
        let refuse = |message| Err(syn::Error::new(arg.ident.span(), message));
        Some(match arg.name().as_str() {
            "default" => match &arg.body {
                Body::Nothing => Ok(Default::Plain),
                _ => arg
                    .value("default = 20")
                    .map(|value| Default::Value(Box::new(value.clone()))),
            }
            .map(|default| details.default = Some(default)),
            "with" => arg
                .path("with = module")
                .map(|path| details.with = Some(path)),
            "recursive" => arg.plain().map(|()| details.recursive = true),
            "skip_into" => arg.plain().map(|()| details.skip_into = true),
            "hidden" => arg.plain().map(|()| details.hidden = true),
            "skip" => refuse("there is no `skip`: leave the field out of the struct that is read"),
            "alias" => {
                refuse("there is no `alias`: the schema could not name it; add a second field")
            }
            _ => return None,
        })
    }

    fn is_member(_: &Field) -> bool {
        true
    }
}
