//! Reads the shape of a type from its tokens.

use syn::{Data, DataEnum, DeriveInput, Fields, Ident, LitStr};

use super::args::{self, Arg};
use super::case::Case;
use super::{Field, Shape, Side, Variant, VariantBody};
use crate::text::{Errors, docs, unknown};

/// The arguments of the attribute on the type that both sides have.
#[derive(Default)]
pub(crate) struct Common {
    name: Option<String>,
    pub(crate) rename_all: Option<Case>,
    tag: Option<LitStr>,
    untagged: Option<Ident>,
}

impl Common {
    /// Applies an argument. Returns `None` if it is not common to both sides.
    pub(crate) fn apply(&mut self, arg: &Arg) -> Option<syn::Result<()>> {
        Some(match arg.name().as_str() {
            "name" => arg
                .text("name = \"SchemaName\"")
                .and_then(|text| schema_name(&text))
                .map(|name| self.name = Some(name)),
            "rename_all" => arg
                .text("rename_all = \"camelCase\"")
                .and_then(|text| Case::read(&text))
                .map(|case| self.rename_all = Some(case)),
            "tag" => arg.text("tag = \"kind\"").map(|tag| self.tag = Some(tag)),
            "untagged" => arg
                .plain()
                .map(|()| self.untagged = Some(arg.ident.clone())),
            _ => return None,
        })
    }

    /// Returns the case of the names of fields.
    pub(crate) fn field_case(&self, at: &Ident, errors: &mut Errors) -> Case {
        self.rename_all
            .unwrap_or_else(|| Case::of_crate(at, errors))
    }

    /// Returns the name of the schema.
    pub(crate) fn name(&self, item: &DeriveInput) -> String {
        self.name.clone().unwrap_or_else(|| item.ident.to_string())
    }
}

/// Returns the name if OpenAPI allows it for a component.
fn schema_name(text: &LitStr) -> syn::Result<String> {
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
            "a schema name consists of letters, digits, `.`, `_` and `-`",
        ))
    }
}

/// Reads the shape of a type that is not a string.
pub(crate) fn read<S: Side>(
    item: &DeriveInput,
    common: &Common,
    errors: &mut Errors,
) -> syn::Result<Shape<S>> {
    let verb = S::VERB;
    match &item.data {
        Data::Struct(data) => structure(item, &data.fields, common, errors),
        Data::Enum(data) if data.variants.is_empty() => Err(syn::Error::new_spanned(
            &item.ident,
            format!("an enum without variants cannot be {verb}: add a variant"),
        )),
        Data::Enum(data) => match (&common.tag, &common.untagged) {
            (Some(_), Some(word)) => Err(syn::Error::new(
                word.span(),
                "an enum has a tag or none: remove `untagged` or `tag`",
            )),
            (Some(tag), None) => tagged(tag, data, item, common, errors),
            (None, Some(_)) => Ok(untagged(data, errors)),
            (None, None) => Ok(choice(data, common, errors)),
        },
        Data::Union(data) => Err(syn::Error::new_spanned(
            data.union_token,
            format!("a union cannot be {verb}: write a struct or an enum"),
        )),
    }
}

fn structure<S: Side>(
    item: &DeriveInput,
    fields: &Fields,
    common: &Common,
    errors: &mut Errors,
) -> syn::Result<Shape<S>> {
    let (verb, attribute, text) = (S::VERB, S::ATTRIBUTE, S::TEXT);
    match fields {
        Fields::Named(_) => {
            let case = common.field_case(&item.ident, errors);
            Ok(Shape::Object(object(fields, case, errors)))
        }
        Fields::Unnamed(list) if list.unnamed.len() == 1 => Ok(Shape::Newtype(Box::new(
            Field::unnamed(&list.unnamed[0], errors),
        ))),
        Fields::Unnamed(list) => Err(syn::Error::new_spanned(
            list,
            format!(
                "a struct with several unnamed fields cannot be {verb}: name the fields, or add `#[{attribute}({text})]` for a string"
            ),
        )),
        Fields::Unit => Err(syn::Error::new_spanned(
            &item.ident,
            format!("a unit struct cannot be {verb}: write `{{}}` for an empty object"),
        )),
    }
}

fn object<S: Side>(fields: &Fields, case: Case, errors: &mut Errors) -> Vec<Field<S>> {
    let fields: Vec<Field<S>> = fields
        .iter()
        .map(|field| Field::named(field, case, errors))
        .collect();
    let members = fields.iter().filter(|field| S::is_member(field));
    distinct(
        "fields",
        members.filter_map(|field| Some((field.ident.as_ref()?, field.wire.as_str()))),
        errors,
    );
    fields
}

fn choice<S: Side>(data: &DataEnum, common: &Common, errors: &mut Errors) -> Shape<S> {
    let attribute = S::ATTRIBUTE;
    let mut variants = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(
                variant,
                format!("a variant with fields needs a tag: add `#[{attribute}(tag = \"kind\")]` to the enum, or `#[{attribute}(untagged)]` if the types differ enough"),
            );
        }
        variants.push(Variant {
            ident: variant.ident.clone(),
            wire: wire::<S>(variant, common.rename_all, errors),
            docs: docs(&variant.attrs),
            body: VariantBody::Unit,
        });
    }
    distinct_variants(&variants, errors);
    Shape::Choice(variants)
}

fn untagged<S: Side>(data: &DataEnum, errors: &mut Errors) -> Shape<S> {
    let mut variants = Vec::new();
    for variant in &data.variants {
        match &variant.fields {
            Fields::Unnamed(list) if list.unnamed.len() == 1 => variants.push(Variant {
                ident: variant.ident.clone(),
                wire: variant.ident.to_string(),
                docs: docs(&variant.attrs),
                body: VariantBody::Inner(Box::new(list.unnamed[0].ty.clone())),
            }),
            _ => errors.at(
                variant,
                "a variant of an enum without a tag holds one type: write `Name(Type)`",
            ),
        }
    }
    Shape::Untagged(variants)
}

fn tagged<S: Side>(
    tag: &LitStr,
    data: &DataEnum,
    item: &DeriveInput,
    common: &Common,
    errors: &mut Errors,
) -> syn::Result<Shape<S>> {
    if !item.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &item.generics,
            "a tagged enum cannot have generic parameters: use concrete types",
        ));
    }
    // `rename_all` is about the variants.
    let case = Case::of_crate(&item.ident, errors);
    let mut variants = Vec::new();
    for variant in &data.variants {
        let wire = wire::<S>(variant, common.rename_all, errors);
        let body = match &variant.fields {
            Fields::Unit => VariantBody::Unit,
            Fields::Unnamed(list) if list.unnamed.len() == 1 => {
                VariantBody::Inner(Box::new(list.unnamed[0].ty.clone()))
            }
            Fields::Unnamed(list) => {
                errors.at(list, "name the fields, or move them to a struct");
                continue;
            }
            named => VariantBody::Fields(variant_fields(named, tag, case, errors)),
        };
        variants.push(Variant {
            ident: variant.ident.clone(),
            wire,
            docs: docs(&variant.attrs),
            body,
        });
    }
    distinct_variants(&variants, errors);
    Ok(Shape::Tagged {
        tag: tag.value(),
        variants,
    })
}

fn variant_fields<S: Side>(
    named: &Fields,
    tag: &LitStr,
    case: Case,
    errors: &mut Errors,
) -> Vec<Field<S>> {
    let fields = object::<S>(named, case, errors);
    if let Some(field) = fields
        .iter()
        .find(|field| S::is_member(field) && field.wire == tag.value())
    {
        errors.at(
            &field.ident,
            format!("`{}` is the tag: rename the field or the tag", field.wire),
        );
    }
    fields
}

/// Returns the name of a variant in JSON.
fn wire<S: Side>(variant: &syn::Variant, case: Option<Case>, errors: &mut Errors) -> String {
    let mut wire = case
        .unwrap_or(Case::Snake)
        .apply(&variant.ident.to_string());
    for arg in args::all(&variant.attrs, S::ATTRIBUTE, errors) {
        let renamed = match arg.name().as_str() {
            "rename" => arg.text("rename = \"name\""),
            other => Err(syn::Error::new(
                arg.ident.span(),
                unknown(other, &["rename"]),
            )),
        };
        if let Some(text) = errors.keep(renamed) {
            wire = text.value();
        }
    }
    wire
}

fn distinct_variants<S: Side>(variants: &[Variant<S>], errors: &mut Errors) {
    let names = variants
        .iter()
        .map(|variant| (&variant.ident, variant.wire.as_str()));
    distinct("variants", names, errors);
}

/// Rejects two fields or variants with the same name in JSON.
fn distinct<'a>(
    what: &str,
    names: impl Iterator<Item = (&'a Ident, &'a str)>,
    errors: &mut Errors,
) {
    let mut seen: Vec<&str> = Vec::new();
    for (ident, wire) in names {
        if seen.contains(&wire) {
            errors.at(
                ident,
                format!("two {what} have the name `{wire}` in JSON: rename one"),
            );
        }
        seen.push(wire);
    }
}
