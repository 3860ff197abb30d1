//! A field: what both sides read of it.

use quote::format_ident;
use syn::ext::IdentExt as _;
use syn::{Expr, Ident, Type};

use super::args::{self, Arg};
use super::case::Case;
use super::{Side, is_option};
use crate::text::{Errors, docs, unknown};

/// A named field, or the field of a newtype.
pub(crate) struct Field<S: Side> {
    pub(crate) ident: Option<Ident>,
    pub(crate) ty: Type,
    /// The name in JSON.
    pub(crate) wire: String,
    /// True if `rename` gives the name.
    pub(crate) renamed: bool,
    pub(crate) docs: String,
    pub(crate) deprecated: bool,
    pub(crate) examples: Vec<Expr>,
    pub(crate) details: S::Details,
}

impl<S: Side> Field<S> {
    /// Reads a named field.
    pub(super) fn named(field: &syn::Field, case: Case, errors: &mut Errors) -> Self {
        let mut read = Self::plain(field, errors);
        if let Some(ident) = &read.ident {
            read.wire = case.apply(&ident.unraw().to_string());
        }
        for arg in args::all(&field.attrs, S::ATTRIBUTE, errors) {
            let applied = read.argument(&arg);
            errors.keep(applied);
        }
        read
    }

    /// Reads the field of a newtype, which has no name in JSON.
    pub(super) fn unnamed(field: &syn::Field, errors: &mut Errors) -> Self {
        let mut read = Self::plain(field, errors);
        for arg in args::all(&field.attrs, S::ATTRIBUTE, errors) {
            let name = arg.name();
            let known = S::FIELD_ARGUMENTS.contains(&name.as_str());
            if known && !S::NEWTYPE_ARGUMENTS.contains(&name.as_str()) {
                errors.at(
                    &arg.ident,
                    format!("`{name}` is for named fields: put it where the type is used"),
                );
                continue;
            }
            let applied = read.argument(&arg);
            errors.keep(applied);
        }
        read
    }

    fn plain(field: &syn::Field, errors: &mut Errors) -> Self {
        Self {
            ident: field.ident.clone(),
            ty: field.ty.clone(),
            wire: String::new(),
            renamed: false,
            docs: docs(&field.attrs),
            deprecated: field
                .attrs
                .iter()
                .any(|attribute| attribute.path().is_ident("deprecated")),
            examples: Vec::new(),
            details: S::details(field, errors),
        }
    }

    fn argument(&mut self, arg: &Arg) -> syn::Result<()> {
        match arg.name().as_str() {
            "rename" => {
                self.wire = arg.text("rename = \"name\"")?.value();
                self.renamed = true;
            }
            "deprecated" => {
                arg.plain()?;
                self.deprecated = true;
            }
            "example" => self.examples.push(arg.value("example = \"text\"")?.clone()),
            "flatten" => {
                return Err(syn::Error::new(
                    arg.ident.span(),
                    "there is no `flatten`: write the fields out, or nest the struct",
                ));
            }
            other => {
                return S::apply(self, arg).unwrap_or_else(|| {
                    let message = unknown(other, S::FIELD_ARGUMENTS);
                    Err(syn::Error::new(arg.ident.span(), message))
                });
            }
        }
        Ok(())
    }

    /// Returns true for a field of type `Option<..>`.
    pub(crate) fn is_option(&self) -> bool {
        is_option(&self.ty)
    }
}

/// Returns the name of the local variable for the field at this position.
pub(crate) fn local(position: usize) -> Ident {
    format_ident!("__field_{position}")
}
