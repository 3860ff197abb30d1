//! `#[around]`: checks a function around handlers, and keeps it as it is.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, ItemFn, ReturnType, Type};

use crate::text::Errors;

/// The maximum number of extractors.
const MAX_EXTRACTORS: usize = 6;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    if !arguments.is_empty() {
        errors.at(
            arguments,
            "`#[around]` takes no arguments: write `#[around]`",
        );
    }
    let function: ItemFn = syn::parse2(item).map_err(|error| {
        syn::Error::new(
            error.span(),
            "`#[around]` applies to a function: write `async fn name(request: Request, next: Next) -> Response`",
        )
    })?;
    let extractors = read(&function, &mut errors);
    errors.finish(())?;
    let checks = extractors.iter().map(|kind| {
        let span = kind.span().resolved_at(Span::call_site());
        quote_spanned!(span=> ::doyen::__private::web::around_part::<#kind, _>();)
    });
    Ok(quote! {
        #function

        const _: () = {
            #[allow(dead_code, reason = "it is only compiled")]
            fn check() {
                #(#checks)*
            }
        };
    })
}

/// Returns the types of the extractors: all parameters but the last two.
fn read(function: &ItemFn, errors: &mut Errors) -> Vec<Type> {
    let sig = &function.sig;
    let name = &sig.ident;
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token,
            format!("a function around handlers is async: write `async fn {name}`"),
        );
    }
    if !sig.generics.params.is_empty() {
        errors.at(
            &sig.generics,
            "a function around handlers cannot have generic parameters: use concrete types",
        );
    }
    if matches!(sig.output, ReturnType::Default) {
        errors.at(
            name,
            format!("`{name}` returns nothing: write `-> Response`, or `-> Result<Response, E>`"),
        );
    }
    let mut types = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(own) => errors.at(
                own,
                "a function around handlers is a free function: take the value as a parameter",
            ),
            FnArg::Typed(argument) => types.push((*argument.ty).clone()),
        }
    }
    let is = |kind: Option<&Type>, wanted: &str| {
        let Some(Type::Path(path)) = kind else {
            return false;
        };
        path.path
            .segments
            .last()
            .is_some_and(|last| last.ident == wanted)
    };
    let next = types.pop();
    let request = types.pop();
    if !(is(request.as_ref(), "Request") && is(next.as_ref(), "Next")) {
        errors.at(
            &sig.inputs,
            format!("the last two parameters of `{name}` are the request and what comes next: write `async fn {name}(.., request: Request, next: Next)`"),
        );
    }
    if types.len() > MAX_EXTRACTORS {
        errors.at(
            &sig.inputs,
            format!("`{name}` has more than {MAX_EXTRACTORS} parameters before `Request`: put some into a struct with `#[derive(Inject)]`"),
        );
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};

    #[test]
    fn the_function_stays_and_its_extractors_are_checked() {
        let code = rust(expand(
            TokenStream::new(),
            quote! { async fn audit(me: User, request: Request, next: Next) -> Response { todo!() } },
        ));
        for part in [
            "async fn audit (me : User , request : Request , next : Next) -> Response",
            "around_part :: < User , _ > ()",
        ] {
            assert!(code.contains(part), "{part} is missing in {code}");
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        assert_eq!(
            messages(expand(
                quote!(all),
                quote! { fn audit<T>(next: Next, request: Request) {} }
            )),
            [
                "`#[around]` takes no arguments: write `#[around]`",
                "a function around handlers is async: write `async fn audit`",
                "a function around handlers cannot have generic parameters: use concrete types",
                "`audit` returns nothing: write `-> Response`, or `-> Result<Response, E>`",
                "the last two parameters of `audit` are the request and what comes next: write `async fn audit(.., request: Request, next: Next)`",
            ]
        );
    }
}
