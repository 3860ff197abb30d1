//! `#[derive(Input)]`: reads the type and its `#[input(..)]` and `#[validate(..)]` attributes.

use syn::{DeriveInput, Expr, Ident, LitStr, Path};

use super::field::Reading;
use super::into::{self, Target};
use super::rule::{self, Rule};
use crate::shape::args::{self, Arg};
use crate::shape::{self, Common};
use crate::text::{Errors, docs, unknown};

/// A type that derives `Input`.
pub(crate) struct Model {
    pub(crate) shape: shape::Model<Reading>,
    /// Rules of the whole value.
    pub(crate) rules: Vec<Rule>,
    /// True if unknown fields are ignored.
    pub(crate) open: bool,
    /// The type that the input is converted to.
    pub(crate) into: Option<Target>,
    /// Examples of the whole value.
    pub(crate) examples: Vec<Expr>,
    /// True for a struct of generated code, whose schema is no component.
    pub(crate) unnamed: bool,
}

pub(super) type Variant = shape::Variant<Reading>;

/// How a string is read.
pub(crate) struct Text {
    /// The function, or `None` for `FromStr`.
    pub(crate) read: Option<Path>,
    pub(crate) format: Option<LitStr>,
    pub(crate) code: String,
    /// Rules of the string, checked before it is parsed.
    pub(crate) rules: Vec<Rule>,
}

/// The arguments of `#[input(..)]` on the type.
#[derive(Default)]
struct Arguments {
    common: Common,
    open: bool,
    from_str: Option<Ident>,
    parse_with: Option<Path>,
    format: Option<LitStr>,
    code: Option<String>,
    pattern: Option<Rule>,
    into: Option<Target>,
    set: Option<Arg>,
    examples: Vec<Expr>,
}

const ARGUMENTS: [&str; 13] = [
    "name",
    "rename_all",
    "allow_unknown",
    "from_str",
    "parse_with",
    "pattern",
    "format",
    "code",
    "tag",
    "untagged",
    "example",
    "into",
    "set",
];

/// Reads the type. Reports all errors together.
pub(crate) fn read(item: &DeriveInput) -> syn::Result<Model> {
    let mut errors = Errors::new();
    errors.keep(shape::no_lifetimes(&item.generics));
    let mut arguments = arguments(item, &mut errors);
    let (text_rules, rules): (Vec<Rule>, Vec<Rule>) = rule::read(&item.attrs, &mut errors)
        .into_iter()
        .partition(|rule| !rule.calls());
    let text = arguments.from_str.is_some() || arguments.parse_with.is_some();
    if !text {
        refuse_text_arguments(&arguments, &text_rules, &mut errors);
    }
    let read = if text {
        Ok(shape::Shape::Text(as_text(&mut arguments, text_rules)))
    } else {
        shape::read::<Reading>(item, &arguments.common, &mut errors)
    };
    let Some(mut shape) = errors.keep(read) else {
        return errors
            .finish(())
            .and(Err(syn::Error::new_spanned(&item.ident, "nothing to read")));
    };
    let into = into::check(
        arguments.into,
        arguments.set.as_ref(),
        &mut shape,
        &mut errors,
    );
    errors.finish(Model {
        shape: shape::Model {
            ident: item.ident.clone(),
            generics: item.generics.clone(),
            name: arguments.common.name(item),
            docs: docs(&item.attrs),
            shape,
        },
        rules,
        open: arguments.open,
        into,
        examples: arguments.examples,
        unnamed: false,
    })
}

fn arguments(item: &DeriveInput, errors: &mut Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let args = args::all(&item.attrs, "input", errors);
    let single: Vec<Arg> = args
        .iter()
        .filter(|arg| arg.name() != "example")
        .cloned()
        .collect();
    args::once(&single, errors);
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
        "allow_unknown" => {
            arg.plain()?;
            arguments.open = true;
        }
        "from_str" => {
            arg.plain()?;
            arguments.from_str = Some(arg.ident.clone());
        }
        "parse_with" => arguments.parse_with = Some(arg.path("parse_with = Type::parse")?),
        "pattern" => {
            arguments.pattern = Some(Rule {
                span: arg.ident.span(),
                kind: rule::pattern(arg)?,
                message: None,
            });
        }
        "format" => arguments.format = Some(arg.text("format = \"uri\"")?),
        "code" => arguments.code = Some(arg.text("code = \"format\"")?.value()),
        "into" => arguments.into = Some(Target::new(arg.ty("into = Draft")?)),
        "set" => arguments.set = Some(arg.clone()),
        "example" => {
            let example = "example = serde_json::json!({..})";
            arguments.examples.push(arg.value(example)?.clone());
        }
        other => {
            return Err(syn::Error::new(
                arg.ident.span(),
                unknown(other, &ARGUMENTS),
            ));
        }
    }
    Ok(())
}

fn refuse_text_arguments(arguments: &Arguments, rules: &[Rule], errors: &mut Errors) {
    for rule in rules.iter().chain(&arguments.pattern) {
        let message = "this rule is for a field: put it on the field, or add `#[input(from_str)]` if the type is read from a string";
        errors.push(syn::Error::new(rule.span, message));
    }
    if let Some(format) = &arguments.format {
        errors.at(
            format,
            "`format` is for types that are read from a string: add `from_str` or `parse_with = path`",
        );
    }
}

fn as_text(arguments: &mut Arguments, rules: Vec<Rule>) -> Text {
    let code = arguments.code.take();
    Text {
        read: arguments.parse_with.take(),
        format: arguments.format.take(),
        code: code.unwrap_or_else(|| "format".to_owned()),
        rules: arguments.pattern.take().into_iter().chain(rules).collect(),
    }
}
