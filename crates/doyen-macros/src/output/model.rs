//! `#[derive(Output)]`: reads the type and its `#[output(..)]` attributes.

use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Data, DeriveInput, Ident, LitStr, Path, Token, Type};

use super::field::{Text, Writing};
use super::from::{self, Source};
use crate::regex::translate;
use crate::shape::args::{self, Arg, Body};
use crate::shape::{self, Common, Shape};
use crate::text::{Errors, docs, unknown};

/// A type that derives `Output`.
pub(crate) struct Model {
    pub(crate) shape: shape::Model<Writing>,
    pub(crate) etag: Option<Member>,
    pub(crate) location: Option<Member>,
    pub(crate) computed: Vec<Computed>,
    /// The type that the output is created from.
    pub(crate) from: Option<Source>,
}

/// The member of the type that supplies the `ETag` or the `Location`.
pub(crate) enum Member {
    Field(Ident),
    Method(Ident),
}

/// A field whose value a function returns.
pub(crate) struct Computed {
    pub(crate) wire: String,
    pub(crate) docs: String,
    pub(crate) ty: Type,
    pub(crate) path: Path,
    /// It is left out if it is `None`.
    pub(crate) skip_none: bool,
}

/// The arguments of `#[output(..)]` on the type.
#[derive(Default)]
struct Arguments {
    common: Common,
    skip_none: bool,
    display: bool,
    pattern: Option<LitStr>,
    format: Option<LitStr>,
    etag: Option<Ident>,
    location: Option<Ident>,
    computed: Vec<Computed>,
    from: Option<Source>,
}

const ARGUMENTS: [&str; 12] = [
    "name",
    "rename_all",
    "skip_none",
    "tag",
    "untagged",
    "display",
    "pattern",
    "format",
    "etag",
    "location",
    "computed",
    "from",
];

/// Reads the type. Reports all errors together.
pub(crate) fn read(item: &DeriveInput) -> syn::Result<Model> {
    let mut errors = Errors::new();
    errors.keep(shape::no_lifetimes(&item.generics));
    let mut arguments = arguments(item, &mut errors);
    if !arguments.display
        && let Some(text) = arguments.pattern.as_ref().or(arguments.format.as_ref())
    {
        errors.at(
            text,
            "`pattern` and `format` are for types that are written as a string: add `display`",
        );
    }
    let read = if arguments.display {
        Ok(Shape::Text(Text {
            pattern: arguments.pattern.as_ref().map(LitStr::value),
            format: arguments.format.clone(),
        }))
    } else {
        shape::read::<Writing>(item, &arguments.common, &mut errors)
    };
    let Some(mut shape) = errors.keep(read) else {
        return errors.finish(()).and(Err(syn::Error::new_spanned(
            &item.ident,
            "nothing to write",
        )));
    };
    if arguments.skip_none {
        for field in shape.fields_mut() {
            field.details.skip_none |= field.is_option();
        }
        for computed in &mut arguments.computed {
            computed.skip_none = shape::is_option(&computed.ty);
        }
    }
    check_computed(&mut arguments, &shape, &item.ident, &mut errors);
    from::check(arguments.from.as_ref(), &mut shape, &mut errors);
    errors.finish(Model {
        etag: arguments.etag.map(|ident| member_of(item, ident)),
        location: arguments.location.map(|ident| member_of(item, ident)),
        computed: arguments.computed,
        from: arguments.from,
        shape: shape::Model {
            ident: item.ident.clone(),
            generics: item.generics.clone(),
            name: arguments.common.name(item),
            docs: docs(&item.attrs),
            shape,
        },
    })
}

fn member_of(item: &DeriveInput, ident: Ident) -> Member {
    let is_field = match &item.data {
        Data::Struct(data) => data
            .fields
            .iter()
            .any(|field| field.ident.as_ref() == Some(&ident)),
        _ => false,
    };
    if is_field {
        Member::Field(ident)
    } else {
        Member::Method(ident)
    }
}

fn arguments(item: &DeriveInput, errors: &mut Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let args = args::all(&item.attrs, "output", errors);
    args::once(&args, errors);
    for arg in &args {
        let applied = match arguments.common.apply(arg) {
            Some(applied) => applied,
            None => apply(arg, &mut arguments),
        };
        errors.keep(applied);
    }
    arguments
}

fn apply(arg: &Arg, arguments: &mut Arguments) -> syn::Result<()> {
    match arg.name().as_str() {
        "skip_none" => {
            arg.plain()?;
            arguments.skip_none = true;
        }
        "display" => {
            arg.plain()?;
            arguments.display = true;
        }
        "pattern" => {
            let text = arg.text("pattern = \"^[a-z]+$\"")?;
            translate(&text.value()).map_err(|message| syn::Error::new(text.span(), message))?;
            arguments.pattern = Some(text);
        }
        "format" => arguments.format = Some(arg.text("format = \"uri\"")?),
        "etag" => arguments.etag = Some(member(arg, "etag = version")?),
        "location" => arguments.location = Some(member(arg, "location = address")?),
        "computed" => {
            let example = "computed(age_seconds: u64 = Self::age_seconds)";
            let Body::List(tokens) = &arg.body else {
                return Err(arg.wants(example));
            };
            let list =
                Punctuated::<Computed, Token![,]>::parse_terminated.parse2(tokens.clone())?;
            arguments.computed.extend(list);
        }
        "from" => arguments.from = Some(Source::read(arg.ty("from = Order")?)?),
        other => {
            return Err(syn::Error::new(
                arg.ident.span(),
                unknown(other, &ARGUMENTS),
            ));
        }
    }
    Ok(())
}

/// The name of a field or a method.
fn member(arg: &Arg, example: &str) -> syn::Result<Ident> {
    arg.path(example)?
        .get_ident()
        .cloned()
        .ok_or_else(|| arg.wants(example))
}

impl Parse for Computed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        let path = input.parse()?;
        Ok(Self {
            wire: name.unraw().to_string(),
            docs: docs(&attributes),
            ty,
            path,
            skip_none: false,
        })
    }
}

/// Applies `rename_all` to computed fields and rejects them where there are no named fields, and
/// names that are taken.
fn check_computed(
    arguments: &mut Arguments,
    shape: &Shape<Writing>,
    at: &Ident,
    errors: &mut Errors,
) {
    let Shape::Object(fields) = shape else {
        for computed in &arguments.computed {
            errors.at(
                &computed.path,
                "`computed` is for structs with named fields",
            );
        }
        return;
    };
    let case = arguments.common.field_case(at, errors);
    let members = fields.iter().filter(|field| !field.details.skip);
    let mut names: Vec<&str> = members.map(|field| field.wire.as_str()).collect();
    for computed in &mut arguments.computed {
        computed.wire = case.apply(&computed.wire);
        if names.contains(&computed.wire.as_str()) {
            errors.at(
                &computed.path,
                format!(
                    "two fields have the name `{}` in JSON: rename one",
                    computed.wire
                ),
            );
        }
        names.push(&computed.wire);
    }
}
