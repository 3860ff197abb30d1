//! Parses the arguments of the attribute, and the function.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, ItemFn, LitStr, Result, Token};

/// Every policy of a route, and true if it takes a value. The parser adds that of `idempotent`.
pub(super) const POLICIES: &[(&str, bool)] = &[
    ("allow", true),
    ("around", true),
    ("body_limit", true),
    ("cache", true),
    ("callback", true),
    ("concurrency", true),
    ("deprecated", false),
    ("document", true),
    ("hidden", false),
    ("id", true),
    ("idempotent", true),
    ("layer", true),
    ("limit", true),
    ("mask_path", false),
    ("returns", true),
    ("sparse", false),
    ("strictness", true),
    ("tag", true),
    ("timeout", true),
];

/// Policies of `#[socket(..)]`.
pub(super) const SOCKET_POLICIES: &[(&str, bool)] = &[
    ("allow", true),
    ("limit", true),
    ("protocol", true),
    ("timeout", true),
];

/// Policies that can be given several times; of layers the outermost is first.
pub(super) const REPEATABLE: [&str; 3] = ["around", "callback", "layer"];

/// `"/{id}", allow = signed_in, deprecated`
#[derive(Debug)]
pub(super) struct RouteArguments {
    pub(super) path: LitStr,
    pub(super) policies: Vec<Policy>,
}

#[derive(Debug)]
pub(super) struct Policy {
    pub(super) name: Ident,
    pub(super) value: Option<Expr>,
}

impl Parse for RouteArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let path = input.parse::<LitStr>().map_err(|error| {
            Error::new(
                error.span(),
                "start with the path, for example `#[get(\"/{id}\", allow = signed_in)]`",
            )
        })?;
        let mut policies = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name = input.parse::<Ident>()?;
            let value = if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                Some(input.parse::<Expr>()?)
            } else if name == "idempotent" {
                Some(idempotent(input, &name)?)
            } else {
                None
            };
            policies.push(Policy { name, value });
        }
        Ok(Self { path, policies })
    }
}

/// Returns the value of `idempotent`, `idempotent(required)` or `idempotent(if_supported)`.
fn idempotent(input: ParseStream<'_>, name: &Ident) -> Result<Expr> {
    let mut mode = Ident::new("Optional", name.span());
    if input.peek(syn::token::Paren) {
        let inside;
        syn::parenthesized!(inside in input);
        let word = inside.call(Ident::parse_any)?;
        mode = match word.to_string().as_str() {
            "required" => Ident::new("Required", word.span()),
            "if_supported" => Ident::new("IfSupported", word.span()),
            other => {
                return Err(Error::new(
                    word.span(),
                    format!(
                        "`{other}` is not known here: write `idempotent`, `idempotent(required)` or `idempotent(if_supported)`"
                    ),
                ));
            }
        };
        if !inside.is_empty() {
            return Err(inside.error("one word is enough: write `idempotent(required)`"));
        }
    }
    Ok(syn::parse_quote!(::doyen::__private::web::Idempotent::#mode))
}

/// Checks the handler for mistakes that the compiler would report badly. `returns` is what to write
/// if it has no return type.
pub(super) fn function(item: TokenStream, returns: &str) -> Result<ItemFn> {
    let function = syn::parse2::<ItemFn>(item).map_err(|error| {
        Error::new(
            error.span(),
            "a route attribute applies to an `async fn` outside of any `impl`",
        )
    })?;
    let mut errors: Option<Error> = None;
    let mut complain = |error: Error| match &mut errors {
        Some(all) => all.combine(error),
        None => errors = Some(error),
    };
    if function.sig.asyncness.is_none() {
        complain(Error::new_spanned(
            function.sig.fn_token,
            format!(
                "a handler is async: write `async fn {}`",
                function.sig.ident
            ),
        ));
    }
    if !function.sig.generics.params.is_empty() {
        complain(Error::new_spanned(
            &function.sig.generics,
            "a handler cannot have generic parameters: use concrete types",
        ));
    }
    for input in &function.sig.inputs {
        if let syn::FnArg::Receiver(receiver) = input {
            complain(Error::new_spanned(
                receiver,
                "a handler cannot have `self`: take dependencies as parameters",
            ));
        }
    }
    if matches!(function.sig.output, syn::ReturnType::Default) {
        complain(Error::new_spanned(
            &function.sig.ident,
            format!(
                "`{}` needs a return type: write {returns}",
                function.sig.ident
            ),
        ));
    }
    errors.map_or(Ok(function), Err)
}
