//! The output side of a field: its settings.

use syn::{Expr, LitStr};

use crate::shape::args::Arg;
use crate::shape::{self, Side};
use crate::text::Errors;

/// The settings of a field that only `Output` has.
#[derive(Default)]
pub(crate) struct Details {
    /// True if the field is not written.
    pub(crate) skip: bool,
    /// True if the field is omitted when it is `None`.
    pub(crate) skip_none: bool,
    /// The value of the field in a conversion from a domain type.
    pub(crate) value: Option<Expr>,
}

/// How a string is described. It is written with `Display`.
pub(crate) struct Text {
    pub(crate) pattern: Option<String>,
    pub(crate) format: Option<LitStr>,
}

/// The output side of a shape.
pub(crate) struct Writing;

pub(crate) type Field = shape::Field<Writing>;

impl Side for Writing {
    const ATTRIBUTE: &'static str = "output";
    const VERB: &'static str = "written";
    const TEXT: &'static str = "display";
    const FIELD_ARGUMENTS: &'static [&'static str] = &[
        "rename",
        "skip",
        "skip_none",
        "deprecated",
        "example",
        "value",
    ];
    const NEWTYPE_ARGUMENTS: &'static [&'static str] = &[];

    type Details = Details;
    type Text = Text;

    fn details(_: &syn::Field, _: &mut Errors) -> Details {
        Details::default()
    }

    fn apply(field: &mut Field, arg: &Arg) -> Option<syn::Result<()>> {
        let optional = field.is_option();
        let details = &mut field.details;
        Some(match arg.name().as_str() {
            "skip" => arg.plain().map(|()| details.skip = true),
            "skip_none" if !optional => Err(syn::Error::new(
                arg.ident.span(),
                "`skip_none` is for fields of type `Option<..>`",
            )),
            "skip_none" => arg.plain().map(|()| details.skip_none = true),
            "value" => arg
                .value("value = order.total()")
                .map(|value| details.value = Some(value.clone())),
            _ => return None,
        })
    }

    fn is_member(field: &Field) -> bool {
        !field.details.skip
    }
}
