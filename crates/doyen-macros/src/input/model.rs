//! The words of the type: from tokens to what is meant.

use syn::{Data, DeriveInput, Fields, Generics, Ident, LitStr, Path, Type};

use super::args::{self, Arg};
use super::case::Case;
use super::field::Field;
use super::generics::no_lifetimes;
use super::rule::{self, Kind, Rule};
use crate::text::{Errors, docs, unknown};

/// A type that derives `Input`.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The name in the document.
    pub(crate) name: String,
    pub(crate) docs: String,
    /// Rules of the whole.
    pub(crate) rules: Vec<Rule>,
    pub(crate) shape: Shape,
}

/// What is read.
pub(crate) enum Shape {
    /// An object.
    Object(Object),
    /// What the only field reads.
    Newtype(Box<Field>),
    /// Text, by a function.
    Text(Text),
    /// One of a few words.
    Choice(Vec<Choice>),
    /// An object whose tag says which.
    Tagged { tag: String, variants: Vec<Variant> },
}

/// Named fields.
pub(crate) struct Object {
    pub(crate) fields: Vec<Field>,
    pub(crate) open: bool,
}

/// How text is read.
pub(crate) struct Text {
    /// The function; `FromStr` when it is not named.
    pub(crate) read: Option<Path>,
    pub(crate) format: Option<LitStr>,
    pub(crate) code: String,
    /// Rules of the text itself, checked before it is read.
    pub(crate) rules: Vec<Rule>,
}

/// A variant that is a word.
pub(crate) struct Choice {
    pub(crate) ident: Ident,
    pub(crate) word: String,
    pub(crate) docs: String,
}

/// A variant of a tagged enum.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) word: String,
    pub(crate) docs: String,
    pub(crate) body: VariantBody,
}

/// What a variant holds.
pub(crate) enum VariantBody {
    Unit,
    Inner(Box<Type>),
    Fields(Object),
}

/// The words on the type.
#[derive(Default)]
struct Words {
    name: Option<String>,
    rename_all: Option<Case>,
    open: bool,
    from_str: Option<Ident>,
    parse_with: Option<Path>,
    format: Option<LitStr>,
    code: Option<String>,
    tag: Option<LitStr>,
    pattern: Option<Rule>,
}

const WORDS: [&str; 9] = [
    "name",
    "rename_all",
    "allow_unknown",
    "from_str",
    "parse_with",
    "pattern",
    "format",
    "code",
    "tag",
];

/// Reads the type. All that is wrong is told at once.
pub(crate) fn read(item: &DeriveInput) -> syn::Result<Model> {
    let mut errors = Errors::new();
    errors.keep(no_lifetimes(&item.generics));
    let words = words(item, &mut errors);
    let (text_rules, rules): (Vec<Rule>, Vec<Rule>) = rule::read(&item.attrs, &mut errors)
        .into_iter()
        .partition(|rule| !rule.calls());
    let text = words.from_str.is_some() || words.parse_with.is_some();
    if !text {
        refuse_text_words(&words, &text_rules, &mut errors);
    }
    let shape = if text {
        Ok(as_text(&words, text_rules))
    } else {
        shape(item, &words, &mut errors)
    };
    let shape = errors.keep(shape);
    let name = words.name.unwrap_or_else(|| item.ident.to_string());
    let Some(shape) = shape else {
        return errors
            .finish(())
            .and(Err(syn::Error::new_spanned(&item.ident, "nothing to read")));
    };
    let model = Model {
        ident: item.ident.clone(),
        generics: item.generics.clone(),
        name,
        docs: docs(&item.attrs),
        rules,
        shape,
    };
    errors.finish(model)
}

fn words(item: &DeriveInput, errors: &mut Errors) -> Words {
    let mut words = Words::default();
    let args = args::all(&item.attrs, "input", errors);
    args::once(&args, errors);
    for arg in &args {
        let result = word(arg, &mut words);
        errors.keep(result);
    }
    words
}

fn word(arg: &Arg, words: &mut Words) -> syn::Result<()> {
    match arg.name().as_str() {
        "name" => words.name = Some(component(&arg.text("name = \"SchemaName\"")?)?),
        "rename_all" => {
            words.rename_all = Some(Case::read(&arg.text("rename_all = \"camelCase\"")?)?)
        }
        "allow_unknown" => {
            arg.plain()?;
            words.open = true;
        }
        "from_str" => {
            arg.plain()?;
            words.from_str = Some(arg.word.clone());
        }
        "parse_with" => words.parse_with = Some(arg.path("parse_with = Type::parse")?),
        "pattern" => {
            words.pattern = Some(Rule {
                span: arg.word.span(),
                kind: rule::pattern(arg)?,
            })
        }
        "format" => words.format = Some(arg.text("format = \"uri\"")?),
        "code" => words.code = Some(arg.text("code = \"format\"")?.value()),
        "tag" => words.tag = Some(arg.text("tag = \"kind\"")?),
        other => return Err(syn::Error::new(arg.word.span(), unknown(other, &WORDS))),
    }
    Ok(())
}

/// The names OpenAPI allows for components.
pub(crate) fn component(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    let good = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if good {
        Ok(name)
    } else {
        Err(syn::Error::new(
            text.span(),
            "a name in the document has letters, digits, `.`, `_` and `-` only",
        ))
    }
}

fn refuse_text_words(words: &Words, rules: &[Rule], errors: &mut Errors) {
    for rule in rules.iter().chain(&words.pattern) {
        let message = "this rule is for a field: put it on the field, or add `#[input(from_str)]` if the type is read from text";
        errors.push(syn::Error::new(rule.span, message));
    }
    if let Some(format) = &words.format {
        errors.at(
            format,
            "`format` is for types that are read from text: add `from_str` or `parse_with = path`",
        );
    }
}

fn as_text(words: &Words, mut rules: Vec<Rule>) -> Shape {
    if let Some(Rule {
        span,
        kind: Kind::Pattern(regex),
    }) = &words.pattern
    {
        rules.insert(
            0,
            Rule {
                span: *span,
                kind: Kind::Pattern(regex.clone()),
            },
        );
    }
    Shape::Text(Text {
        read: words.parse_with.clone(),
        format: words.format.clone(),
        code: words.code.clone().unwrap_or_else(|| "format".to_owned()),
        rules,
    })
}

fn shape(item: &DeriveInput, words: &Words, errors: &mut Errors) -> syn::Result<Shape> {
    match &item.data {
        Data::Struct(data) => structure(item, &data.fields, words, errors),
        Data::Enum(data) if data.variants.is_empty() => Err(syn::Error::new_spanned(
            &item.ident,
            "an enum without variants can not be read: add one",
        )),
        Data::Enum(data) => match &words.tag {
            Some(tag) => tagged(tag, data, item, words, errors),
            None => choices(data, words, errors),
        },
        Data::Union(data) => Err(syn::Error::new_spanned(
            data.union_token,
            "a union can not be read: write a struct or an enum",
        )),
    }
}

fn structure(
    item: &DeriveInput,
    fields: &Fields,
    words: &Words,
    errors: &mut Errors,
) -> syn::Result<Shape> {
    match fields {
        Fields::Named(_) => Ok(Shape::Object(object(
            fields,
            words.rename_all,
            words.open,
            errors,
        ))),
        Fields::Unnamed(list) if list.unnamed.len() == 1 => {
            Ok(Shape::Newtype(Box::new(newtype(&list.unnamed[0], errors))))
        }
        Fields::Unnamed(list) => Err(syn::Error::new_spanned(
            list,
            "a struct with several fields without names can not be read: name the fields, or add `#[input(from_str)]` to read it from text",
        )),
        Fields::Unit => Err(syn::Error::new_spanned(
            &item.ident,
            "a struct without fields reads nothing: write `{}` for an empty object",
        )),
    }
}

fn newtype(field: &syn::Field, errors: &mut Errors) -> Field {
    let read = Field::read(field, Case::Snake, errors);
    if read.default.is_some() || read.with.is_some() || !read.examples.is_empty() {
        errors.at(
            field,
            "`default`, `example` and `with` are for named fields: put them where the type is used",
        );
    }
    read
}

fn object(fields: &Fields, case: Option<Case>, open: bool, errors: &mut Errors) -> Object {
    let fields: Vec<Field> = fields
        .iter()
        .map(|field| Field::read(field, case.unwrap_or(Case::Snake), errors))
        .collect();
    for (place, field) in fields.iter().enumerate() {
        if fields[..place]
            .iter()
            .any(|before| before.wire == field.wire)
        {
            errors.at(
                &field.ident,
                format!(
                    "two fields are called `{}` on the wire: rename one",
                    field.wire
                ),
            );
        }
    }
    Object { fields, open }
}

fn choices(data: &syn::DataEnum, words: &Words, errors: &mut Errors) -> syn::Result<Shape> {
    let mut choices = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(variant, "a variant with fields needs a tag that tells it apart: add `#[input(tag = \"kind\")]` to the enum");
        }
        let word = wire(variant, words.rename_all, "input", errors);
        choices.push(Choice {
            ident: variant.ident.clone(),
            word,
            docs: docs(&variant.attrs),
        });
    }
    distinct(
        choices
            .iter()
            .map(|choice| (&choice.ident, choice.word.as_str())),
        errors,
    );
    Ok(Shape::Choice(choices))
}

/// The word of a variant on the wire.
pub(crate) fn wire(
    variant: &syn::Variant,
    case: Option<Case>,
    attribute: &str,
    errors: &mut Errors,
) -> String {
    let mut word = case
        .unwrap_or(Case::Snake)
        .apply(&variant.ident.to_string());
    for arg in args::all(&variant.attrs, attribute, errors) {
        let renamed = match arg.name().as_str() {
            "rename" => arg.text("rename = \"word\""),
            other => Err(syn::Error::new(
                arg.word.span(),
                unknown(other, &["rename"]),
            )),
        };
        if let Some(text) = errors.keep(renamed) {
            word = text.value();
        }
    }
    word
}

/// Refuses two variants of one word.
pub(crate) fn distinct<'a>(words: impl Iterator<Item = (&'a Ident, &'a str)>, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (ident, word) in words {
        if seen.contains(&word) {
            errors.at(
                ident,
                format!("two variants are called `{word}` on the wire: rename one"),
            );
        }
        seen.push(word);
    }
}

fn tagged(
    tag: &LitStr,
    data: &syn::DataEnum,
    item: &DeriveInput,
    words: &Words,
    errors: &mut Errors,
) -> syn::Result<Shape> {
    if !item.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &item.generics,
            "a tagged enum can not have parameters: name the types",
        ));
    }
    let mut variants = Vec::new();
    for variant in &data.variants {
        let word = wire(variant, words.rename_all, "input", errors);
        let body = match &variant.fields {
            Fields::Unit => VariantBody::Unit,
            Fields::Unnamed(list) if list.unnamed.len() == 1 => {
                VariantBody::Inner(Box::new(list.unnamed[0].ty.clone()))
            }
            Fields::Unnamed(list) => {
                errors.at(
                    list,
                    "name the fields, or put them into a struct of their own",
                );
                continue;
            }
            named => {
                let object = object(named, None, words.open, errors);
                if let Some(field) = object.fields.iter().find(|field| field.wire == tag.value()) {
                    errors.at(
                        &field.ident,
                        format!("`{}` is the tag: rename the field or the tag", field.wire),
                    );
                }
                VariantBody::Fields(object)
            }
        };
        variants.push(Variant {
            ident: variant.ident.clone(),
            word,
            docs: docs(&variant.attrs),
            body,
        });
    }
    distinct(
        variants
            .iter()
            .map(|variant| (&variant.ident, variant.word.as_str())),
        errors,
    );
    Ok(Shape::Tagged {
        tag: tag.value(),
        variants,
    })
}
