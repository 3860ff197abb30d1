//! `#[derive(Settings)]` on a struct.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Field, Fields, Ident, Type};

use super::literal;
use crate::text::{self, Argument, Errors};

/// A field.
struct Entry {
    ident: Ident,
    ty: Type,
    doc: String,
    place: Option<Place>,
    default: Option<String>,
    env: Option<String>,
    min: Option<String>,
    max: Option<String>,
}

/// Where the keys of a nested struct are.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Section,
    Flatten,
}

pub(super) fn expand(name: &Ident, fields: &Fields) -> syn::Result<TokenStream> {
    if let Fields::Unnamed(fields) = fields {
        return Err(syn::Error::new_spanned(
            fields,
            format!("settings are named like their fields: write `struct {name} {{ name: T }}`"),
        ));
    }
    let mut errors = Errors::new();
    let entries: Vec<Entry> = fields
        .iter()
        .filter_map(|field| read(field, &mut errors))
        .collect();
    errors.finish(()).map(|()| emit(name, &entries))
}

fn read(field: &Field, errors: &mut Errors) -> Option<Entry> {
    let ident = field.ident.clone()?;
    let mut entry = Entry {
        ty: field.ty.clone(),
        doc: text::docs(&field.attrs),
        place: None,
        default: None,
        env: None,
        min: None,
        max: None,
        ident,
    };
    if entry.key().contains("__") {
        let message = format!(
            "`{}` contains `__`, which separates the levels of a variable name: use one `_`",
            entry.key()
        );
        errors.at(&entry.ident, message);
    }
    let arguments = text::arguments(&field.attrs, "setting", errors);
    for (i, argument) in arguments.iter().enumerate() {
        if arguments[..i]
            .iter()
            .any(|before| before.name == argument.name)
        {
            errors.at(
                &argument.name,
                format!("`{}` is given twice: keep one", argument.name()),
            );
        } else {
            option(argument, &mut entry, errors);
        }
    }
    if entry.place.is_some()
        && let Some(argument) = arguments
            .iter()
            .find(|argument| matches!(&*argument.name(), "default" | "env" | "min" | "max"))
    {
        let ty = &entry.ty;
        let message = format!(
            "a nested struct cannot have `{}`: write it on the fields of `{}`",
            argument.name(),
            quote!(#ty)
        );
        errors.at(&argument.name, message);
    }
    Some(entry)
}

fn option(argument: &Argument, entry: &mut Entry, errors: &mut Errors) {
    match &*argument.name() {
        "default" => entry.default = value(argument, errors),
        "min" => entry.min = value(argument, errors),
        "max" => entry.max = value(argument, errors),
        "env" => {
            if let Some(name) = errors.keep(argument.text()) {
                if !is_variable(&name.value()) {
                    let message = format!(
                        "`{}` is not a valid variable name: use capital letters, digits and `_`, as in `DATABASE_URL`",
                        name.value()
                    );
                    errors.at(&name, message);
                }
                entry.env = Some(name.value());
            }
        }
        place @ ("section" | "flatten") => {
            errors.keep(argument.plain());
            if entry.place.is_some() {
                errors.at(
                    &argument.name,
                    "a field is either `section` or `flatten`: keep one",
                );
            }
            entry.place = Some(if place == "section" {
                Place::Section
            } else {
                Place::Flatten
            });
        }
        other => errors.at(
            &argument.name,
            text::unknown(
                other,
                &["default", "env", "min", "max", "section", "flatten"],
            ),
        ),
    }
}

fn value(argument: &Argument, errors: &mut Errors) -> Option<String> {
    match &argument.value {
        Some(value) => errors.keep(literal::text(value)),
        None => {
            errors.at(
                &argument.name,
                format!("`{0}` needs a value: write `{0} = ...`", argument.name()),
            );
            None
        }
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

impl Entry {
    /// The name in configuration files.
    fn key(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// Generates the `Spec` of a single value.
    fn spec(&self) -> TokenStream {
        let (name, doc) = (self.key(), &self.doc);
        let [default, env, min, max] =
            [&self.default, &self.env, &self.min, &self.max].map(|text| match text {
                Some(text) => quote!(::core::option::Option::Some(#text)),
                None => quote!(::core::option::Option::None),
            });
        quote! {
            ::doyen::__private::settings::Spec { name: #name, doc: #doc, default: #default, env: #env, min: #min, max: #max }
        }
    }

    fn keys(&self) -> TokenStream {
        let (ty, name) = (&self.ty, self.key());
        // Errors point at the type; names are those of the macro.
        let span = ty.span().resolved_at(Span::call_site());
        match self.place {
            None => {
                let spec = self.spec();
                quote_spanned!(span=> keys.push(::doyen::__private::settings::Key::of::<#ty>(&#spec));)
            }
            Some(Place::Section) => quote_spanned! {span=>
                for key in <#ty as ::doyen::__private::settings::Settings>::keys() {
                    keys.push(key.within(#name));
                }
            },
            Some(Place::Flatten) => quote_spanned! {span=>
                ::core::iter::Extend::extend(&mut keys, <#ty as ::doyen::__private::settings::Settings>::keys());
            },
        }
    }

    fn read(&self) -> TokenStream {
        let (ty, name) = (&self.ty, self.key());
        // Errors point at the type; names are those of the macro.
        let span = ty.span().resolved_at(Span::call_site());
        match self.place {
            None => {
                let spec = self.spec();
                quote_spanned!(span=> reader.value::<#ty>(&#spec))
            }
            Some(Place::Section) => quote_spanned!(span=> reader.section::<#ty>(#name)),
            Some(Place::Flatten) => {
                quote_spanned!(span=> <#ty as ::doyen::__private::settings::Settings>::read(reader))
            }
        }
    }
}

fn emit(name: &Ident, entries: &[Entry]) -> TokenStream {
    let keys = entries.iter().map(Entry::keys);
    let idents: Vec<&Ident> = entries.iter().map(|entry| &entry.ident).collect();
    let reads = entries.iter().map(Entry::read);
    // Prefixed names: a field may be called `reader`.
    let values: Vec<Ident> = (0..entries.len())
        .map(|i| format_ident!("value_{}", i))
        .collect();
    quote! {
        #[automatically_derived]
        impl ::doyen::__private::settings::Settings for #name {
            fn keys() -> ::std::vec::Vec<::doyen::__private::settings::Key> {
                #[allow(unused_mut)]
                let mut keys = ::std::vec::Vec::new();
                #(#keys)*
                keys
            }
            fn read(reader: &mut ::doyen::__private::settings::Reader<'_>) -> ::core::option::Option<Self> {
                // Read all values before returning the first error, so that every error is
                // reported.
                let _ = &reader;
                #(let #values = #reads;)*
                ::core::option::Option::Some(Self { #(#idents: #values?),* })
            }
        }
    }
}
