//! Reads the model of a problem from its variants.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Index, Member, Type};

use super::detail::{self, Detail};
use crate::text::{self, Argument, Errors};

/// The names of the kinds in `doyen_core::Kind`, and their status.
const KINDS: [(&str, u16); 21] = [
    ("malformed", 400),
    ("unauthenticated", 401),
    ("forbidden", 403),
    ("not_found", 404),
    ("method_not_allowed", 405),
    ("not_acceptable", 406),
    ("request_timeout", 408),
    ("conflict", 409),
    ("gone", 410),
    ("precondition_failed", 412),
    ("too_large", 413),
    ("uri_too_long", 414),
    ("unsupported_media_type", 415),
    ("range_not_satisfiable", 416),
    ("misdirected", 421),
    ("invalid", 422),
    ("precondition_required", 428),
    ("too_many_requests", 429),
    ("headers_too_large", 431),
    ("internal", 500),
    ("unavailable", 503),
];

/// The other arguments of `#[problem(..)]`.
const OTHERS: [&str; 5] = ["unexpected", "transparent", "code", "title", "detail"];

/// An enum or a struct.
pub(super) struct Model {
    pub(super) name: Ident,
    pub(super) cases: Vec<Case>,
}

/// A variant, or the whole struct.
pub(super) struct Case {
    /// `Self::Missing`, or `Self`.
    pub(super) path: TokenStream,
    pub(super) shape: Shape,
}

pub(super) enum Shape {
    /// A problem of its own.
    Own(Box<Row>),
    /// An inner problem, which is returned as it is.
    Held { member: Member, kind: Box<Type> },
}

pub(super) struct Row {
    pub(super) kind: String,
    pub(super) code: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) detail: Option<Detail>,
    pub(super) cause: Option<Member>,
    pub(super) failures: Option<Member>,
    pub(super) retry_after: Option<Member>,
}

pub(super) fn read(item: &DeriveInput) -> syn::Result<Model> {
    if !item.generics.params.is_empty() {
        let message = "a problem cannot have generic parameters, because it is one entry in the catalogue: use a concrete type";
        return Err(syn::Error::new_spanned(&item.generics, message));
    }
    let mut errors = Errors::new();
    let mut cases = Vec::new();
    match &item.data {
        Data::Enum(data) => {
            if data.variants.is_empty() {
                errors.at(
                    &item.ident,
                    format!("`{}` cannot occur: add a variant", item.ident),
                );
            }
            for variant in &data.variants {
                let name = &variant.ident;
                let shape = shape(name, &variant.attrs, &variant.fields, &mut errors);
                cases.extend(shape.map(|shape| {
                    (
                        name.clone(),
                        Case {
                            path: quote!(Self::#name),
                            shape,
                        },
                    )
                }));
            }
        }
        Data::Struct(data) => {
            let shape = shape(&item.ident, &item.attrs, &data.fields, &mut errors);
            cases.extend(shape.map(|shape| {
                (
                    item.ident.clone(),
                    Case {
                        path: quote!(Self),
                        shape,
                    },
                )
            }));
        }
        Data::Union(_) => errors.at(
            &item.ident,
            "a problem is an enum, or a struct for a single problem",
        ),
    }
    refuse_twins(&cases, &mut errors);
    let cases = cases.into_iter().map(|(_, case)| case).collect();
    errors.finish(Model {
        name: item.ident.clone(),
        cases,
    })
}

fn refuse_twins(cases: &[(Ident, Case)], errors: &mut Errors) {
    for (i, (name, case)) in cases.iter().enumerate() {
        for (_, before) in &cases[..i] {
            match (&before.shape, &case.shape) {
                (Shape::Own(a), Shape::Own(b)) if a.code == b.code => {
                    errors.at(name, format!("the code `{}` is given twice: clients distinguish problems by their code", a.code));
                }
                (Shape::Held { kind: a, .. }, Shape::Held { kind: b, .. }) if a == b => {
                    errors.at(
                        b,
                        format!(
                            "two variants contain `{}`, so `?` would be ambiguous: keep one",
                            quote!(#b)
                        ),
                    );
                }
                _ => {}
            }
        }
    }
}

fn shape(
    name: &Ident,
    attributes: &[Attribute],
    fields: &Fields,
    errors: &mut Errors,
) -> Option<Shape> {
    if is_status(attributes, errors) {
        return None;
    }
    let arguments = text::arguments(attributes, "problem", errors);
    if let Some(argument) = arguments
        .iter()
        .find(|argument| matches!(&*argument.name(), "unexpected" | "transparent"))
    {
        if let Some(other) = arguments.iter().find(|other| other.name != argument.name) {
            errors.at(
                &other.name,
                format!(
                    "`{}` takes no other arguments: the inner problem has its own kind and code",
                    argument.name()
                ),
            );
        }
        return held(name, &argument.name(), fields, errors);
    }
    let mut row = Row {
        kind: String::new(),
        code: text::snake(&name.to_string()),
        title: String::new(),
        description: text::docs(attributes),
        detail: None,
        cause: None,
        failures: None,
        retry_after: None,
    };
    let mut understood = false;
    for argument in &arguments {
        understood |= !option(argument, name, &mut row, fields, errors);
    }
    if row.kind.is_empty() && !understood {
        let message = format!(
            "`{name}` needs a kind: add for example `#[problem(not_found)]`, or `#[problem(unexpected)]` if it contains an `Unexpected`"
        );
        errors.at(name, message);
    }
    if row.description.is_empty() {
        let message = format!(
            "`{name}` needs a doc comment, which clients read as the description: write `/// What went wrong and what to do.` above it"
        );
        errors.at(name, message);
    }
    if row.title.is_empty() {
        row.title = text::title(&row.code);
    }
    marks(fields, &mut row, errors);
    Some(Shape::Own(Box::new(row)))
}

/// Rejects a status where a kind is expected, and names the kind. Returns true if it did.
fn is_status(attributes: &[Attribute], errors: &mut Errors) -> bool {
    let of_problem = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("problem"));
    for attribute in of_problem {
        let Ok(list) = attribute.meta.require_list() else {
            continue;
        };
        let Some(TokenTree::Literal(literal)) = list.tokens.clone().into_iter().next() else {
            continue;
        };
        let status = literal.to_string();
        let kind = KINDS.iter().find(|(_, known)| known.to_string() == status);
        let message = match kind {
            Some((kind, _)) => {
                format!("write the kind instead of the status: `#[problem({kind})]`")
            }
            None => {
                let all: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
                format!(
                    "write the kind of the problem, one of `{}`",
                    all.join("`, `")
                )
            }
        };
        errors.push(syn::Error::new(literal.span(), message));
        return true;
    }
    false
}

/// Applies an argument. Returns false if it is unknown.
fn option(
    argument: &Argument,
    name: &Ident,
    row: &mut Row,
    fields: &Fields,
    errors: &mut Errors,
) -> bool {
    match &*argument.name() {
        "code" => {
            if let Some(code) = errors.keep(argument.text()) {
                if !text::is_snake(&code.value()) {
                    errors.at(&code, "a code consists of lower-case names joined by `_`: write `code = \"order_not_found\"`");
                }
                row.code = code.value();
            }
        }
        "title" => {
            row.title = errors
                .keep(argument.text())
                .map_or_else(String::new, |title| title.value())
        }
        "detail" => {
            let format = errors.keep(argument.text());
            row.detail = format.and_then(|format| errors.keep(detail::read(name, &format, fields)));
        }
        kind if KINDS.iter().any(|(known, _)| *known == kind) => {
            errors.keep(argument.plain());
            if row.kind.is_empty() {
                kind.clone_into(&mut row.kind);
            } else {
                errors.at(
                    &argument.name,
                    format!("a problem has one kind: keep `{}` or `{kind}`", row.kind),
                );
            }
        }
        other => {
            let kinds = KINDS.iter().map(|(kind, _)| *kind);
            let known: Vec<&str> = kinds.chain(OTHERS).collect();
            errors.at(&argument.name, text::unknown(other, &known));
            return false;
        }
    }
    true
}

fn held(name: &Ident, argument: &str, fields: &Fields, errors: &mut Errors) -> Option<Shape> {
    let mut all = members(fields);
    match (all.next(), all.next()) {
        (Some((member, field)), None) => Some(Shape::Held {
            member,
            kind: Box::new(field.ty.clone()),
        }),
        (None, _) => {
            let inside = if argument == "unexpected" {
                "Unexpected"
            } else {
                "OtherProblem"
            };
            errors.at(
                name,
                format!("`{name}` contains no problem: write `{name}({inside})`"),
            );
            None
        }
        (Some(_), Some((_, second))) => {
            errors.at(
                second,
                format!("`{argument}` requires exactly one field: the inner problem"),
            );
            None
        }
    }
}

/// Reads `#[problem(cause)]`, `#[problem(failures)]` and `#[problem(retry_after)]` on the fields.
fn marks(fields: &Fields, row: &mut Row, errors: &mut Errors) {
    for (member, field) in members(fields) {
        for argument in text::arguments(&field.attrs, "problem", errors) {
            errors.keep(argument.plain());
            let place = match &*argument.name() {
                "cause" => &mut row.cause,
                "failures" => &mut row.failures,
                "retry_after" => &mut row.retry_after,
                other => {
                    errors.at(
                        &argument.name,
                        text::unknown(other, &["cause", "failures", "retry_after"]),
                    );
                    continue;
                }
            };
            if place.replace(member.clone()).is_some() {
                errors.at(
                    &argument.name,
                    format!("two fields are marked `{}`: keep one", argument.name()),
                );
            }
        }
    }
}

/// Returns each field with its name or index.
pub(super) fn members(fields: &Fields) -> impl Iterator<Item = (Member, &syn::Field)> {
    fields.iter().enumerate().map(|(i, field)| {
        let member = field
            .ident
            .clone()
            .map_or_else(|| Member::Unnamed(Index::from(i)), Member::Named);
        (member, field)
    })
}
