//! `#[validate(..)]`: the rules of a field.

mod code;

use proc_macro2::Span;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, Path, UnOp};

use crate::regex::{Regex, translate};
use crate::shape::args::{self, Arg};
use crate::text::{Errors, unknown};

/// A rule.
pub(crate) struct Rule {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
    /// Replaces the message of the rule.
    pub(crate) message: Option<LitStr>,
}

/// The kind of a rule, with its arguments.
pub(crate) enum Kind {
    Length {
        min: Option<Expr>,
        max: Option<Expr>,
    },
    Range {
        limits: Vec<(&'static str, Expr)>,
    },
    MultipleOf(Expr),
    Pattern(Regex),
    Email,
    Url,
    DisplayName,
    NotBlank,
    Items {
        min: Option<Expr>,
        max: Option<Expr>,
    },
    Unique,
    Each(Vec<Rule>),
    Custom(Path),
    Async(Path),
}

const RULES: [&str; 14] = [
    "length",
    "range",
    "multiple_of",
    "pattern",
    "email",
    "url",
    "display_name",
    "not_blank",
    "items",
    "unique_items",
    "each",
    "custom",
    "async",
    "message",
];
const LIMITS: [&str; 4] = ["min", "max", "exclusive_min", "exclusive_max"];

/// Reads the rules of all `#[validate(..)]` attributes.
pub(crate) fn read(attributes: &[syn::Attribute], errors: &mut Errors) -> Vec<Rule> {
    let mut all = Vec::new();
    for attribute in attributes {
        // A message belongs to the rules of its attribute.
        let args = args::all(std::slice::from_ref(attribute), "validate", errors);
        let (messages, args): (Vec<Arg>, Vec<Arg>) =
            args.into_iter().partition(|arg| arg.name() == "message");
        args::once(&messages, errors);
        let message = messages.first().and_then(|arg| {
            if args.is_empty() {
                errors.push(syn::Error::new(
                    arg.ident.span(),
                    "`message` replaces the message of the rules next to it: write `#[validate(length(min = 8), message = \"..\")]`",
                ));
            }
            errors.keep(arg.text("message = \"is too short\""))
        });
        all.extend(rules(&args, errors).into_iter().map(|rule| Rule {
            message: message.clone(),
            ..rule
        }));
    }
    all
}

fn rules(args: &[Arg], errors: &mut Errors) -> Vec<Rule> {
    args.iter()
        .filter_map(|arg| {
            let kind = one(arg, errors);
            errors.keep(kind).map(|kind| Rule {
                span: arg.ident.span(),
                kind,
                message: None,
            })
        })
        .collect()
}

fn one(arg: &Arg, errors: &mut Errors) -> syn::Result<Kind> {
    match arg.name().as_str() {
        "length" => {
            let (min, max) = amounts(arg, "length(min = 1, max = 200)", errors)?;
            Ok(Kind::Length { min, max })
        }
        "items" => {
            let (min, max) = amounts(arg, "items(min = 1, max = 10)", errors)?;
            Ok(Kind::Items { min, max })
        }
        "range" => range(arg, errors),
        "multiple_of" => multiple_of(arg),
        "pattern" => pattern(arg),
        "email" => arg.plain().map(|()| Kind::Email),
        "url" => arg.plain().map(|()| Kind::Url),
        "display_name" => arg.plain().map(|()| Kind::DisplayName),
        "not_blank" => arg.plain().map(|()| Kind::NotBlank),
        "unique_items" => arg.plain().map(|()| Kind::Unique),
        "each" => {
            let list = arg.list("each(length(max = 32), pattern = \"^[a-z]+$\")")?;
            let rules = rules(&list, errors);
            if let Some(rule) = rules
                .iter()
                .find(|rule| matches!(rule.kind, Kind::Async(_)))
            {
                errors.push(syn::Error::new(
                    rule.span,
                    "`async` is not for items: put it on the field and check the whole list",
                ));
            }
            Ok(Kind::Each(rules))
        }
        "custom" => arg.path("custom = path::to::function").map(Kind::Custom),
        "async" => arg.path("async = path::to::function").map(Kind::Async),
        "message" => Err(syn::Error::new(
            arg.ident.span(),
            "`message` replaces the messages of the whole attribute: put it next to `each(..)`",
        )),
        other => Err(syn::Error::new(arg.ident.span(), unknown(other, &RULES))),
    }
}

/// Reads `pattern = ".."`.
pub(crate) fn pattern(arg: &Arg) -> syn::Result<Kind> {
    let text = arg.text("pattern = \"^[a-z]+$\"")?;
    translate(&text.value())
        .map(Kind::Pattern)
        .map_err(|message| syn::Error::new(text.span(), message))
}

fn amounts(
    arg: &Arg,
    example: &str,
    errors: &mut Errors,
) -> syn::Result<(Option<Expr>, Option<Expr>)> {
    let (mut min, mut max) = (None, None);
    let limits = arg.list(example)?;
    args::once(&limits, errors);
    for limit in &limits {
        match limit.name().as_str() {
            "min" => min = Some(limit.value("min = 1")?.clone()),
            "max" => max = Some(limit.value("max = 200")?.clone()),
            other => {
                return Err(syn::Error::new(
                    limit.ident.span(),
                    unknown(other, &["min", "max"]),
                ));
            }
        }
    }
    if min.is_none() && max.is_none() {
        return Err(arg.wants(example));
    }
    in_order(arg, min.as_ref(), max.as_ref())?;
    Ok((min, max))
}

fn range(arg: &Arg, errors: &mut Errors) -> syn::Result<Kind> {
    let example = "range(min = 1, max = 100)";
    let list = arg.list(example)?;
    args::once(&list, errors);
    let mut limits: Vec<(&'static str, Expr)> = Vec::new();
    for limit in &list {
        let name = limit.name();
        let Some(known) = LIMITS.into_iter().find(|known| *known == name) else {
            return Err(syn::Error::new(limit.ident.span(), unknown(&name, &LIMITS)));
        };
        let value = limit.value(&format!("{known} = 1"))?;
        limits.push((known, value.clone()));
    }
    if limits.is_empty() {
        return Err(arg.wants(example));
    }
    let find = |name| {
        limits
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    };
    in_order(arg, find("min"), find("max"))?;
    Ok(Kind::Range { limits })
}

fn multiple_of(arg: &Arg) -> syn::Result<Kind> {
    let value = arg.value("multiple_of = 5")?;
    match literal(value) {
        Some(number) if number >= 1.0 && number.fract() == 0.0 => {
            Ok(Kind::MultipleOf(value.clone()))
        }
        _ => Err(syn::Error::new_spanned(
            value,
            "write a whole number above zero, such as `multiple_of = 5`",
        )),
    }
}

fn in_order(arg: &Arg, min: Option<&Expr>, max: Option<&Expr>) -> syn::Result<()> {
    match (min.and_then(literal), max.and_then(literal)) {
        (Some(min), Some(max)) if min > max => Err(syn::Error::new(
            arg.ident.span(),
            "no value is valid: `min` is greater than `max`",
        )),
        _ => Ok(()),
    }
}

/// Returns the value of a numeric literal.
fn literal(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(int), ..
        }) => int.base10_digits().parse().ok(),
        Expr::Lit(ExprLit {
            lit: Lit::Float(float),
            ..
        }) => float.base10_digits().parse().ok(),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => literal(expr).map(|number| -number),
        _ => None,
    }
}
