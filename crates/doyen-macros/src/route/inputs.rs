//! Parameters with an attribute that names their place: `#[query(default = 10)] limit: u32`.
//!
//! The parameters of one place become the fields of one struct with `#[derive(Input)]`, so that
//! both forms parse, validate and describe alike. The struct is private to the generated code.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, Error, FnArg, Ident, ItemFn, Meta, Pat, Token, Type};

use crate::shape::args::{Arg, Body};
use crate::text::Errors;

/// The attributes of parameters, and the extractor that reads each place.
pub(crate) const PLACES: &[(&str, &str)] = &[
    ("path", "Path"),
    ("query", "Query"),
    ("header", "Header"),
    ("cookie", "Cookie"),
    ("form", "Form"),
    ("body", "Json"),
];

/// The parameters of one place.
pub(crate) struct Group {
    pub(crate) place: &'static str,
    extractor: &'static str,
    fields: Vec<GroupField>,
}

struct GroupField {
    ident: Ident,
    ty: Type,
    attributes: Vec<TokenStream>,
    /// The name on the wire.
    wire: String,
}

/// A parameter of the function: the group and the field that hold it, or `None` for an extractor.
pub(crate) type Slot = Option<(usize, Ident)>;

/// Takes the attributes off the parameters. Returns the groups, and for each parameter its slot.
///
/// A parameter that is bound to one of `path_names`, those of a route, and has a doc comment is
/// read like one with `#[path]`, so that the comment reaches the document.
pub(crate) fn take(
    function: &mut ItemFn,
    path_names: Option<&[String]>,
    errors: &mut Errors,
) -> (Vec<Group>, Vec<Slot>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut slots = Vec::new();
    for input in &mut function.sig.inputs {
        let FnArg::Typed(typed) = input else {
            continue;
        };
        let attributes = std::mem::take(&mut typed.attrs);
        let (own, kept): (Vec<Attribute>, Vec<Attribute>) =
            attributes.into_iter().partition(is_ours);
        typed.attrs = kept;
        let name = match &*typed.pat {
            Pat::Ident(pattern) => Some(pattern.ident.clone()),
            _ => None,
        };
        let mut places = own
            .iter()
            .filter_map(|attribute| Some((place(attribute)?, attribute)));
        let found = places.next();
        if let Some((_, second)) = places.next() {
            errors.at(
                second,
                "a parameter is read from one place: keep one of these attributes",
            );
        }
        let is_bound = name
            .as_ref()
            .is_some_and(|name| path_names.unwrap_or_default().contains(&wire(name)));
        let known = match found {
            Some((known, _)) => known,
            None if is_bound && !own.is_empty() => PLACES[0],
            None => {
                if let Some(first) = own.first() {
                    errors.at(first, "a comment on this parameter reaches no document: write it on the type, or add `#[query]` or another place");
                }
                slots.push(None);
                continue;
            }
        };
        let Some(name) = name else {
            errors.at(
                &typed.pat,
                format!(
                    "a parameter with `#[{}]` needs a name: write `name: Type`",
                    known.0
                ),
            );
            slots.push(None);
            continue;
        };
        let index = groups
            .iter()
            .position(|group| group.place == known.0)
            .unwrap_or_else(|| {
                groups.push(Group {
                    place: known.0,
                    extractor: known.1,
                    fields: Vec::new(),
                });
                groups.len() - 1
            });
        let field = field(&name, &typed.ty, &own, path_names, errors);
        slots.push(Some((index, field.ident.clone())));
        groups[index].fields.push(field);
    }
    (groups, slots)
}

fn is_ours(attribute: &Attribute) -> bool {
    place(attribute).is_some()
        || attribute.path().is_ident("doc")
        || attribute.path().is_ident("deprecated")
}

fn place(attribute: &Attribute) -> Option<(&'static str, &'static str)> {
    PLACES
        .iter()
        .copied()
        .find(|(name, _)| attribute.path().is_ident(name))
}

/// The default name on the wire: that of the parameter, where `_id` stands for an unused `id`.
fn wire(name: &Ident) -> String {
    name.unraw().to_string().trim_start_matches('_').to_owned()
}

fn field(
    name: &Ident,
    ty: &Type,
    own: &[Attribute],
    path_names: Option<&[String]>,
    errors: &mut Errors,
) -> GroupField {
    let wire_name = wire(name);
    let ident = match syn::parse_str::<Ident>(&wire_name) {
        Ok(_) => Ident::new(&wire_name, name.span()),
        // A keyword, or a name of underscores alone.
        Err(_) => name.clone(),
    };
    let mut field = GroupField {
        ident,
        ty: ty.clone(),
        attributes: Vec::new(),
        wire: wire_name,
    };
    for attribute in own {
        let Some((known, _)) = place(attribute) else {
            field.attributes.push(quote!(#attribute));
            continue;
        };
        let list = match &attribute.meta {
            Meta::Path(_) => continue,
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                errors.at(pair, format!("write `#[{known}(..)]` with arguments, such as `#[{known}(range(min = 1))]`"));
                continue;
            }
        };
        let arguments = Punctuated::<Arg, Token![,]>::parse_terminated.parse2(list.clone());
        let (Some(parsed), Some(tokens)) = (errors.keep(arguments), errors.keep(split(list)))
        else {
            continue;
        };
        for (arg, tokens) in parsed.iter().zip(tokens) {
            if arg.name() == "rename"
                && let Some(text) = errors.keep(arg.text("rename = \"name\""))
            {
                field.wire = text.value();
            }
            if arg.name() == "default" && known == "path" {
                errors.at(
                    &arg.ident,
                    "a path parameter is always present: remove the default",
                );
                continue;
            }
            let target = if is_input(arg) { "input" } else { "validate" };
            let target = format_ident!("{target}");
            field.attributes.push(quote!(#[#target(#tokens)]));
        }
        // An extractor does not know the path.
        let lacks = |names: &[String]| !names.contains(&field.wire);
        if known == "path" && path_names.is_some_and(lacks) {
            errors.at(
                name,
                format!("the path has no `{{{0}}}`: add it, or write the name in the path with `#[path(rename = \"..\")]`", field.wire),
            );
        }
    }
    field
}

/// Returns true for an argument of `#[input(..)]`; all others are rules.
fn is_input(arg: &Arg) -> bool {
    crate::input::field_arguments().contains(&arg.name().as_str())
        && !matches!(arg.body, Body::List(_))
}

/// Splits the tokens of arguments at the commas between them.
fn split(tokens: TokenStream) -> syn::Result<Vec<TokenStream>> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match &token {
            proc_macro2::TokenTree::Punct(comma) if comma.as_char() == ',' => {
                parts.push(TokenStream::new());
            }
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.extend([token]);
                }
            }
        }
    }
    Ok(parts)
}

impl Group {
    /// True for the places that are the body.
    pub(crate) fn is_body(&self) -> bool {
        matches!(self.place, "form" | "body")
    }

    /// Returns the names that the group reads from the path.
    pub(crate) fn path_names(&self) -> impl Iterator<Item = &str> {
        let is_path = self.place == "path";
        let fields = self.fields.iter().filter(move |_| is_path);
        fields.map(|field| field.wire.as_str())
    }

    /// Returns the name of the struct that holds the values.
    pub(crate) fn ident(&self) -> Ident {
        format_ident!("__{}", self.extractor)
    }

    /// Returns the type of the extractor.
    pub(crate) fn ty(&self) -> TokenStream {
        let (extractor, ident) = (format_ident!("{}", self.extractor), self.ident());
        quote!(::doyen::__private::web::#extractor<#ident>)
    }

    /// Generates the struct and its implementation of `Input`.
    pub(crate) fn definition(&self) -> syn::Result<TokenStream> {
        let ident = self.ident();
        let fields = self.fields.iter().map(|field| {
            let GroupField {
                ident,
                ty,
                attributes,
                wire,
            } = field;
            // The template of the route has these names, whatever the case of the crate is.
            let name = (self.place == "path").then(|| quote!(#[input(rename = #wire)]));
            quote!(#(#attributes)* #name #ident: #ty)
        });
        let item: DeriveInput = syn::parse2(quote!(struct #ident { #(#fields),* }))?;
        let implementation = crate::input::expand_unnamed(item)?;
        let plain = self
            .fields
            .iter()
            .map(|GroupField { ident, ty, .. }| quote!(#ident: #ty));
        Ok(quote! {
            struct #ident { #(#plain),* }
            #implementation
        })
    }
}

/// Generates the definitions of all groups, or the errors of all.
pub(crate) fn definitions(groups: &[Group], errors: &mut Errors) -> TokenStream {
    let all = groups.iter().map(Group::definition);
    all.filter_map(|one| errors.keep(one)).collect()
}

/// Returns the error for a request with two bodies.
pub(crate) fn second_body(ty: &Type) -> Error {
    Error::new_spanned(
        ty,
        "a request has one body: write each part as a parameter with `#[body]` (JSON) or `#[form]`, or all of them in one struct",
    )
}
