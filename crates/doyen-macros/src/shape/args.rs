//! The grammar of the attributes: `name`, `name = expression`, `name(..)`, separated by commas.
//!
//! `from` and `into` take a type.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprPath, Ident, Lit, LitStr, Path, Token, Type, parenthesized};

use crate::text::{Errors, ungrouped};

/// One argument of an attribute.
#[derive(Clone)]
pub(crate) struct Arg {
    pub(crate) ident: Ident,
    pub(crate) body: Body,
}

/// The value of an argument.
#[derive(Clone)]
pub(crate) enum Body {
    Nothing,
    Value(Box<Expr>),
    Type(Box<Type>),
    List(TokenStream),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ident = Ident::parse_any(input)?;
        let body = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if ident == "from" || ident == "into" {
                Body::Type(input.parse()?)
            } else {
                Body::Value(input.parse()?)
            }
        } else if input.peek(syn::token::Paren) {
            let list;
            parenthesized!(list in input);
            Body::List(list.parse()?)
        } else {
            Body::Nothing
        };
        Ok(Self { ident, body })
    }
}

impl Arg {
    /// Returns the name as a string.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// Returns the expression after `=`.
    pub(crate) fn value(&self, example: &str) -> syn::Result<&Expr> {
        match &self.body {
            Body::Value(value) => Ok(ungrouped(value)),
            _ => Err(self.wants(example)),
        }
    }

    /// Returns the string after `=`.
    pub(crate) fn text(&self, example: &str) -> syn::Result<LitStr> {
        match self.value(example)? {
            Expr::Lit(expr) if matches!(expr.lit, Lit::Str(_)) => match &expr.lit {
                Lit::Str(text) => Ok(text.clone()),
                _ => Err(self.wants(example)),
            },
            _ => Err(self.wants(example)),
        }
    }

    /// Returns the path after `=`.
    pub(crate) fn path(&self, example: &str) -> syn::Result<Path> {
        match self.value(example)? {
            Expr::Path(ExprPath {
                path, qself: None, ..
            }) => Ok(path.clone()),
            _ => Err(self.wants(example)),
        }
    }

    /// Returns the type after `=`.
    pub(crate) fn ty(&self, example: &str) -> syn::Result<Type> {
        match &self.body {
            Body::Type(ty) => Ok((**ty).clone()),
            _ => Err(self.wants(example)),
        }
    }

    /// Returns the arguments between parentheses.
    pub(crate) fn list(&self, example: &str) -> syn::Result<Vec<Arg>> {
        match &self.body {
            Body::List(tokens) => list(tokens.clone()),
            _ => Err(self.wants(example)),
        }
    }

    /// Rejects a value.
    pub(crate) fn plain(&self) -> syn::Result<()> {
        match self.body {
            Body::Nothing => Ok(()),
            _ => Err(self.wants(&self.name())),
        }
    }

    /// Returns the error that shows the correct form.
    pub(crate) fn wants(&self, example: &str) -> syn::Error {
        syn::Error::new(self.ident.span(), format!("write `{example}`"))
    }
}

/// Reads arguments separated by commas.
pub(crate) fn list(tokens: TokenStream) -> syn::Result<Vec<Arg>> {
    let list = Punctuated::<Arg, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(list.into_iter().collect())
}

/// Reads all arguments of every `#[name(...)]` attribute.
pub(crate) fn all(attributes: &[Attribute], name: &str, errors: &mut Errors) -> Vec<Arg> {
    let mut found = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        let args = attribute
            .meta
            .require_list()
            .and_then(|meta| list(meta.tokens.clone()));
        found.extend(errors.keep(args).into_iter().flatten());
    }
    found
}

/// Rejects repeated arguments, of which only the last would take effect.
pub(crate) fn once(args: &[Arg], errors: &mut Errors) {
    for (place, arg) in args.iter().enumerate() {
        if args[..place]
            .iter()
            .any(|before| before.name() == arg.name())
        {
            errors.at(
                &arg.ident,
                format!("`{}` is given twice: remove one", arg.name()),
            );
        }
    }
}
