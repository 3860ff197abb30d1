//! The words of the type: from tokens to what is meant.

use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Data, DeriveInput, Expr, Fields, Generics, Ident, LitStr, Path, Token, Type};

use crate::input::args::{self, Arg, Body};
use crate::input::case::Case;
use crate::input::generics::no_lifetimes;
use crate::input::model::{component, distinct, wire};
use crate::input::regex::translate;
use crate::text::{Errors, docs, unknown};

/// A type that derives `Output`.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The name in the document.
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) etag: Option<Source>,
    pub(crate) location: Option<Source>,
    pub(crate) shape: Shape,
}

/// Where the `ETag` or the `Location` comes from.
pub(crate) enum Source {
    Field(Ident),
    Method(Ident),
}

/// What is written.
pub(crate) enum Shape {
    Object {
        fields: Vec<Field>,
        computed: Vec<Computed>,
    },
    Newtype(Box<Type>),
    /// What `Display` says.
    Text {
        pattern: Option<String>,
        format: Option<LitStr>,
    },
    Choice(Vec<Choice>),
    Tagged {
        tag: String,
        variants: Vec<Variant>,
    },
}

/// A field that is written.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) wire: String,
    pub(crate) docs: String,
    pub(crate) deprecated: bool,
    pub(crate) skip_none: bool,
    pub(crate) examples: Vec<Expr>,
}

/// A field that a function gives.
pub(crate) struct Computed {
    pub(crate) wire: String,
    pub(crate) docs: String,
    pub(crate) ty: Type,
    pub(crate) path: Path,
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
    Fields(Vec<Field>),
}

#[derive(Default)]
struct Words {
    name: Option<String>,
    rename_all: Option<Case>,
    skip_none: bool,
    tag: Option<LitStr>,
    display: bool,
    pattern: Option<LitStr>,
    format: Option<LitStr>,
    etag: Option<Ident>,
    location: Option<Ident>,
    computed: Vec<Computed>,
}

const WORDS: [&str; 10] = [
    "name",
    "rename_all",
    "skip_none",
    "tag",
    "display",
    "pattern",
    "format",
    "etag",
    "location",
    "computed",
];
const FIELD_WORDS: [&str; 5] = ["rename", "skip", "skip_none", "deprecated", "example"];

/// Reads the type. All that is wrong is told at once.
pub(crate) fn read(item: &DeriveInput) -> syn::Result<Model> {
    let mut errors = Errors::new();
    errors.keep(no_lifetimes(&item.generics));
    let mut words = words(item, &mut errors);
    if !words.display
        && let Some(text) = words.pattern.as_ref().or(words.format.as_ref())
    {
        errors.at(
            text,
            "`pattern` and `format` are for types that are written as text: add `display`",
        );
    }
    let etag = words.etag.take().map(|ident| source(item, ident));
    let location = words.location.take().map(|ident| source(item, ident));
    let shape = shape(item, &mut words, &mut errors);
    let shape = errors.keep(shape);
    for computed in &words.computed {
        errors.at(
            &computed.path,
            "`computed` is for structs with named fields",
        );
    }
    let name = words.name.unwrap_or_else(|| item.ident.to_string());
    let Some(shape) = shape else {
        return errors.finish(()).and(Err(syn::Error::new_spanned(
            &item.ident,
            "nothing to write",
        )));
    };
    let model = Model {
        ident: item.ident.clone(),
        generics: item.generics.clone(),
        name,
        docs: docs(&item.attrs),
        etag,
        location,
        shape,
    };
    errors.finish(model)
}

fn source(item: &DeriveInput, ident: Ident) -> Source {
    let is_field = match &item.data {
        Data::Struct(data) => data
            .fields
            .iter()
            .any(|field| field.ident.as_ref() == Some(&ident)),
        _ => false,
    };
    if is_field {
        Source::Field(ident)
    } else {
        Source::Method(ident)
    }
}

fn words(item: &DeriveInput, errors: &mut Errors) -> Words {
    let mut words = Words::default();
    let args = args::all(&item.attrs, "output", errors);
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
        "skip_none" => {
            arg.plain()?;
            words.skip_none = true;
        }
        "tag" => words.tag = Some(arg.text("tag = \"kind\"")?),
        "display" => {
            arg.plain()?;
            words.display = true;
        }
        "pattern" => {
            let text = arg.text("pattern = \"^[a-z]+$\"")?;
            translate(&text.value()).map_err(|message| syn::Error::new(text.span(), message))?;
            words.pattern = Some(text);
        }
        "format" => words.format = Some(arg.text("format = \"uri\"")?),
        "etag" => words.etag = Some(member(arg, "etag = version")?),
        "location" => words.location = Some(member(arg, "location = address")?),
        "computed" => {
            let example = "computed(age_seconds: u64 = Self::age_seconds)";
            let Body::List(tokens) = &arg.body else {
                return Err(arg.wants(example));
            };
            let list =
                Punctuated::<Computed, Token![,]>::parse_terminated.parse2(tokens.clone())?;
            words.computed.extend(list);
        }
        other => return Err(syn::Error::new(arg.word.span(), unknown(other, &WORDS))),
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
        })
    }
}

fn shape(item: &DeriveInput, words: &mut Words, errors: &mut Errors) -> syn::Result<Shape> {
    if words.display {
        let pattern = words.pattern.as_ref().map(LitStr::value);
        return Ok(Shape::Text {
            pattern,
            format: words.format.clone(),
        });
    }
    match &item.data {
        Data::Struct(data) => structure(item, &data.fields, words, errors),
        Data::Enum(data) if data.variants.is_empty() => Err(syn::Error::new_spanned(
            &item.ident,
            "an enum without variants is never written: add one",
        )),
        Data::Enum(data) => match &words.tag {
            Some(tag) => tagged(tag, data, item, words, errors),
            None => choices(data, words, errors),
        },
        Data::Union(data) => Err(syn::Error::new_spanned(
            data.union_token,
            "a union can not be written: write a struct or an enum",
        )),
    }
}

fn structure(
    item: &DeriveInput,
    fields: &Fields,
    words: &mut Words,
    errors: &mut Errors,
) -> syn::Result<Shape> {
    match fields {
        Fields::Named(_) => {
            let case = words.rename_all.unwrap_or(Case::Snake);
            let mut computed = std::mem::take(&mut words.computed);
            for one in &mut computed {
                one.wire = case.apply(&one.wire);
            }
            let fields = object(fields, case, words.skip_none, errors);
            let names = fields.iter().map(|field| (&field.ident, &field.wire));
            for (place, one) in computed.iter().enumerate() {
                let taken = names.clone().any(|(_, wire)| *wire == one.wire)
                    || computed[..place].iter().any(|other| other.wire == one.wire);
                if taken {
                    errors.at(
                        &one.path,
                        format!(
                            "two fields are called `{}` on the wire: rename one",
                            one.wire
                        ),
                    );
                }
            }
            Ok(Shape::Object { fields, computed })
        }
        Fields::Unnamed(list) if list.unnamed.len() == 1 => {
            Ok(Shape::Newtype(Box::new(list.unnamed[0].ty.clone())))
        }
        Fields::Unnamed(list) => Err(syn::Error::new_spanned(
            list,
            "a struct with several fields without names can not be written: name the fields, or add `#[output(display)]` to write it as text",
        )),
        Fields::Unit => Err(syn::Error::new_spanned(
            &item.ident,
            "a struct without fields writes nothing: write `{}` for an empty object",
        )),
    }
}

fn object(fields: &Fields, case: Case, skip_none: bool, errors: &mut Errors) -> Vec<Field> {
    let mut all: Vec<Field> = Vec::new();
    for field in fields {
        let Some(field) = read_field(field, case, skip_none, errors) else {
            continue;
        };
        if all.iter().any(|before| before.wire == field.wire) {
            errors.at(
                &field.ident,
                format!(
                    "two fields are called `{}` on the wire: rename one",
                    field.wire
                ),
            );
        }
        all.push(field);
    }
    all
}

/// Reads a field; `None` for one that is not written.
fn read_field(
    field: &syn::Field,
    case: Case,
    skip_none: bool,
    errors: &mut Errors,
) -> Option<Field> {
    let ident = field.ident.clone()?;
    let optional =
        crate::input::field::generic(&field.ty).is_some_and(|(name, _)| name == "Option");
    let mut found = Field {
        wire: case.apply(&ident.unraw().to_string()),
        ident,
        ty: field.ty.clone(),
        docs: docs(&field.attrs),
        deprecated: field
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("deprecated")),
        skip_none: skip_none && optional,
        examples: Vec::new(),
    };
    let mut skip = false;
    for arg in args::all(&field.attrs, "output", errors) {
        let result = match arg.name().as_str() {
            "rename" => arg
                .text("rename = \"name\"")
                .map(|text| found.wire = text.value()),
            "skip" => arg.plain().map(|()| skip = true),
            "skip_none" if !optional => Err(syn::Error::new(
                arg.word.span(),
                "`skip_none` is for fields of type `Option<..>`",
            )),
            "skip_none" => arg.plain().map(|()| found.skip_none = true),
            "deprecated" => arg.plain().map(|()| found.deprecated = true),
            "example" => arg
                .value("example = \"text\"")
                .map(|value| found.examples.push(value.clone())),
            "flatten" => Err(syn::Error::new(
                arg.word.span(),
                "there is no `flatten`: write the fields out, or nest the struct",
            )),
            other => Err(syn::Error::new(
                arg.word.span(),
                unknown(other, &FIELD_WORDS),
            )),
        };
        errors.keep(result);
    }
    (!skip).then_some(found)
}

fn choices(data: &syn::DataEnum, words: &Words, errors: &mut Errors) -> syn::Result<Shape> {
    let mut choices = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(variant, "a variant with fields needs a tag that tells it apart: add `#[output(tag = \"kind\")]` to the enum");
        }
        let word = wire(variant, words.rename_all, "output", errors);
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
        let word = wire(variant, words.rename_all, "output", errors);
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
                let fields = object(named, Case::Snake, words.skip_none, errors);
                if let Some(field) = fields.iter().find(|field| field.wire == tag.value()) {
                    errors.at(
                        &field.ident,
                        format!("`{}` is the tag: rename the field or the tag", field.wire),
                    );
                }
                VariantBody::Fields(fields)
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
