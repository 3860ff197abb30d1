//! The grammar of our attributes: `word`, `word = expression`, `word(...)`, separated by commas.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprPath, Ident, Lit, LitStr, Path, Token, parenthesized};

use crate::text::Errors;

/// One word of an attribute, with what follows it.
pub(crate) struct Arg {
    pub(crate) word: Ident,
    pub(crate) body: Body,
}

/// What follows a word.
pub(crate) enum Body {
    Nothing,
    Value(Box<Expr>),
    List(TokenStream),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = Ident::parse_any(input)?;
        let body = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Body::Value(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let list;
            parenthesized!(list in input);
            Body::List(list.parse()?)
        } else {
            Body::Nothing
        };
        Ok(Self { word, body })
    }
}

impl Arg {
    /// The word as text.
    pub(crate) fn name(&self) -> String {
        self.word.unraw().to_string()
    }

    /// The expression after `=`.
    pub(crate) fn value(&self, example: &str) -> syn::Result<&Expr> {
        match &self.body {
            Body::Value(value) => Ok(value),
            _ => Err(self.wants(example)),
        }
    }

    /// The text after `=`.
    pub(crate) fn text(&self, example: &str) -> syn::Result<LitStr> {
        match self.value(example)? {
            Expr::Lit(expr) if matches!(expr.lit, Lit::Str(_)) => match &expr.lit {
                Lit::Str(text) => Ok(text.clone()),
                _ => Err(self.wants(example)),
            },
            _ => Err(self.wants(example)),
        }
    }

    /// The path after `=`.
    pub(crate) fn path(&self, example: &str) -> syn::Result<Path> {
        match self.value(example)? {
            Expr::Path(ExprPath {
                path, qself: None, ..
            }) => Ok(path.clone()),
            _ => Err(self.wants(example)),
        }
    }

    /// The words between parentheses.
    pub(crate) fn list(&self, example: &str) -> syn::Result<Vec<Arg>> {
        match &self.body {
            Body::List(tokens) => list(tokens.clone()),
            _ => Err(self.wants(example)),
        }
    }

    /// Complains when something stands after a plain word.
    pub(crate) fn plain(&self) -> syn::Result<()> {
        match self.body {
            Body::Nothing => Ok(()),
            _ => Err(self.wants(&self.name())),
        }
    }

    /// The complaint that shows how to write it.
    pub(crate) fn wants(&self, example: &str) -> syn::Error {
        syn::Error::new(self.word.span(), format!("write `{example}`"))
    }
}

/// Reads words separated by commas.
pub(crate) fn list(tokens: TokenStream) -> syn::Result<Vec<Arg>> {
    let list = Punctuated::<Arg, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(list.into_iter().collect())
}

/// All words of every `#[name(...)]` attribute.
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

/// Refuses a word that stands twice: the second would win without a sign.
pub(crate) fn once(args: &[Arg], errors: &mut Errors) {
    for (place, arg) in args.iter().enumerate() {
        if args[..place]
            .iter()
            .any(|before| before.name() == arg.name())
        {
            errors.at(
                &arg.word,
                format!("`{}` stands twice: remove one", arg.name()),
            );
        }
    }
}
