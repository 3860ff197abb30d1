//! The parameters of a handler or an extractor: how each is extracted, and passed to the function.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, Ident, ItemFn, Pat, Type};

use super::inputs::{self, Group, Slot};
use crate::text::{Errors, ungrouped_type};

/// The parameters of a function.
pub(crate) struct Signature {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) groups: Vec<Group>,
    /// The structs of the groups.
    pub(crate) definitions: TokenStream,
}

/// A parameter of the function.
pub(crate) struct Parameter {
    /// The type as written.
    pub(crate) kind: Type,
    /// The path parameter that it is bound to.
    pub(crate) bound: Option<String>,
    /// How it is extracted, if the name of its type tells.
    pub(crate) way: Way,
    /// The group that reads it.
    pub(crate) slot: Slot,
}

/// How a parameter is extracted. Known extractors are recognized by name, so that compile errors
/// mention the type inside them; for all others, type inference decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Parts,
    Body,
    Unknown,
}

impl Way {
    fn of(kind: &Type) -> Self {
        let Some((name, inside)) = generic(kind) else {
            return Way::Unknown;
        };
        match (name.as_str(), inside) {
            ("Query" | "Header" | "Cookie" | "Path", _) => Way::Parts,
            ("Json" | "MergePatch" | "Form", _) => Way::Body,
            ("Option", Some(inside)) if Way::of(inside) == Way::Body => Way::Body,
            _ => Way::Unknown,
        }
    }
}

/// Returns true for types of the language and its library, which are no extractors.
fn is_plain(kind: &Type) -> bool {
    let Type::Path(path) = ungrouped_type(kind) else {
        return true;
    };
    path.path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        name.starts_with(|first: char| first.is_lowercase())
            || matches!(name.as_str(), "String" | "Option" | "Vec" | "Arc")
    })
}

/// Returns the name of a generic type and its first argument.
fn generic(kind: &Type) -> Option<(String, Option<&Type>)> {
    let Type::Path(path) = ungrouped_type(kind) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let inside = arguments.args.first().and_then(|first| match first {
        syn::GenericArgument::Type(inside) => Some(inside),
        _ => None,
    });
    Some((last.ident.to_string(), inside))
}

/// A value that is extracted, in the order of extraction.
pub(crate) struct Element {
    /// The variable that holds it.
    pub(crate) variable: Ident,
    pub(crate) kind: TokenStream,
    pub(crate) way: Way,
    span: Span,
}

impl Element {
    /// Generates the element of the tuple of a handler.
    pub(crate) fn part(&self, is_last: bool) -> TokenStream {
        let (kind, way) = (&self.kind, way(self.way, is_last));
        // An error about the type is reported at this expression, so that it has its position.
        let span = self.span.resolved_at(Span::call_site());
        quote_spanned!(span=> ::doyen::__private::web::part::<#kind, #way>())
    }
}

impl Signature {
    /// Reads the parameters, and takes their attributes off the function.
    pub(crate) fn read(
        function: &mut ItemFn,
        path_names: Option<&[String]>,
        errors: &mut Errors,
    ) -> Self {
        let (groups, slots) = inputs::take(function, path_names, errors);
        let typed = function.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        let parameters: Vec<Parameter> = typed
            .zip(slots)
            .map(|(typed, slot)| {
                let bound = match (&slot, &*typed.pat) {
                    (None, Pat::Ident(pattern)) => {
                        bound(&pattern.ident, path_names.unwrap_or_default())
                    }
                    _ => None,
                };
                let way = match (&bound, &slot) {
                    (None, None) => Way::of(&typed.ty),
                    _ => Way::Parts,
                };
                Parameter {
                    kind: (*typed.ty).clone(),
                    bound,
                    way,
                    slot,
                }
            })
            .collect();
        check_bodies(&parameters, &groups, errors);
        let definitions = inputs::definitions(&groups, errors);
        Self {
            parameters,
            groups,
            definitions,
        }
    }

    /// Returns true if a parameter, or a group, reads this name from the path.
    pub(crate) fn reads_path(&self, name: &str) -> bool {
        let bound = self
            .parameters
            .iter()
            .any(|one| one.bound.as_deref() == Some(name));
        bound
            || self
                .groups
                .iter()
                .flat_map(Group::path_names)
                .any(|known| known == name)
    }

    /// Returns true if a parameter is of a type that the macro does not know, such as an extractor
    /// that reads the path.
    pub(crate) fn has_unknown(&self) -> bool {
        let unknown = self.parameters.iter().filter(|one| one.way == Way::Unknown);
        unknown
            .filter(|one| one.slot.is_none())
            .any(|one| !is_plain(&one.kind))
    }

    /// Returns the values in the order in which they are extracted: groups first, the body last.
    pub(crate) fn elements(&self) -> Vec<Element> {
        let group = |(index, group): (usize, &Group)| Element {
            variable: format_ident!("group_{index}"),
            kind: group.ty(),
            way: if group.is_body() {
                Way::Body
            } else {
                Way::Parts
            },
            span: Span::call_site(),
        };
        let own = self
            .parameters
            .iter()
            .enumerate()
            .filter(|(_, one)| one.slot.is_none());
        let own = own.map(|(index, parameter)| Element {
            variable: format_ident!("argument_{index}"),
            kind: kind(parameter),
            way: parameter.way,
            span: parameter.kind.span(),
        });
        let groups = || self.groups.iter().enumerate();
        let parts = groups().filter(|(_, group)| !group.is_body()).map(group);
        let body = groups().filter(|(_, group)| group.is_body()).map(group);
        parts.chain(own).chain(body).collect()
    }

    /// Generates the arguments of the call of the function.
    pub(crate) fn passed(&self) -> Vec<TokenStream> {
        let all = self.parameters.iter().enumerate();
        all.map(|(index, parameter)| {
            if let Some((group, field)) = &parameter.slot {
                let group = format_ident!("group_{group}");
                return quote!(#group.0.#field);
            }
            let argument = format_ident!("argument_{index}");
            match parameter.bound {
                None => quote!(#argument),
                Some(_) => quote!(#argument.into_inner()),
            }
        })
        .collect()
    }

    /// Generates the types that name the bound path parameters, and the structs of the groups.
    pub(crate) fn definitions(&self) -> TokenStream {
        let bound = self
            .parameters
            .iter()
            .filter_map(|parameter| parameter.bound.as_ref());
        let markers = bound.map(|bound| {
            let marker = format_ident!("Parameter_{bound}");
            quote! {
                struct #marker;
                impl ::doyen::__private::web::ParamName for #marker {
                    const NAME: &'static str = #bound;
                }
            }
        });
        let groups = &self.definitions;
        quote!(#(#markers)* #groups)
    }
}

/// Returns the name of the path parameter that a parameter is bound to.
fn bound(ident: &Ident, path_names: &[String]) -> Option<String> {
    let own = ident.to_string();
    if path_names.contains(&own) {
        return Some(own);
    }
    // `_id` binds to `{id}` too: a handler may not need its path parameter.
    let own = own.trim_start_matches('_').to_owned();
    path_names.contains(&own).then_some(own)
}

fn check_bodies(parameters: &[Parameter], groups: &[Group], errors: &mut Errors) {
    let is_body = |parameter: &&Parameter| parameter.slot.is_none() && parameter.way == Way::Body;
    let own: Vec<&Parameter> = parameters.iter().filter(is_body).collect();
    let grouped: Vec<&Parameter> = parameters
        .iter()
        .filter(|one| {
            one.slot
                .as_ref()
                .is_some_and(|(index, _)| groups[*index].is_body())
        })
        .collect();
    if own.len() > 1 || groups.iter().filter(|group| group.is_body()).count() > 1 {
        let last = own.last().or(grouped.last());
        errors.push(inputs::second_body(
            last.map_or(&parameters[0].kind, |one| &one.kind),
        ));
        return;
    }
    if let (Some(own), false) = (own.first(), grouped.is_empty()) {
        errors.push(inputs::second_body(&own.kind));
        return;
    }
    let unread = parameters.iter().filter(|one| one.slot.is_none());
    let after = unread.rev().skip(1);
    for early in after.filter(|one| one.way == Way::Body) {
        errors.at(
            &early.kind,
            "the body is read last: move this parameter to the end",
        );
    }
}

/// Returns the type that is extracted for a parameter.
fn kind(parameter: &Parameter) -> TokenStream {
    let kind = &parameter.kind;
    match &parameter.bound {
        None => quote!(#kind),
        Some(bound) => {
            let marker = format_ident!("Parameter_{bound}");
            quote!(::doyen::__private::web::Named<#marker, #kind>)
        }
    }
}

/// Returns the type that selects how a parameter is extracted; `_` lets the compiler infer it.
fn way(way: Way, is_last: bool) -> TokenStream {
    let parts = quote!(::doyen::__private::web::ViaParts);
    match way {
        // The last parameter reads the body or, like all others, the request parts.
        Way::Parts if is_last => quote!((#parts, #parts)),
        Way::Parts => parts,
        Way::Body => quote!(::doyen::__private::web::ViaBody),
        Way::Unknown => quote!(_),
    }
}
