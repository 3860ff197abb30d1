//! `#[provider]`: an `async fn` that constructs an injectable type. The function is kept, and the
//! returned type implements `Inject`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, GenericArgument, Generics, ItemFn, PathArguments, ReturnType, Type};

use crate::inject::{Recipe, argument_names, implementation, lifetime};
use crate::text::{Errors, cfgs, parse_arguments};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let lifetime = {
        let arguments = errors.keep(parse_arguments(arguments)).unwrap_or_default();
        lifetime(&arguments, &mut errors)
    };
    let function: ItemFn = syn::parse2(item).map_err(|error| {
        syn::Error::new(
            error.span(),
            "`#[provider]` applies to a function: write `async fn name(a: A) -> T`",
        )
    })?;
    let Some(Model { needs, made, error }) = read(&function, &mut errors) else {
        return errors.finish(TokenStream::new());
    };
    errors.finish(())?;
    let name = &function.sig.ident;
    let cfgs = cfgs(&function.attrs);
    let names = argument_names(&needs);
    let maker = quote!(|#(#names),*| #name(#(#names),*));
    let implementation = implementation(&Recipe {
        lifetime,
        made: &made,
        generics: &Generics::default(),
        needs: &needs,
        error: error.as_ref(),
        maker: &maker,
    });
    Ok(quote! {
        #function

        #(#cfgs)*
        #implementation
    })
}

struct Model {
    /// The types of the parameters.
    needs: Vec<Type>,
    /// The returned type.
    made: Type,
    /// The error type.
    error: Option<Type>,
}

fn read(function: &ItemFn, errors: &mut Errors) -> Option<Model> {
    let sig = &function.sig;
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token,
            format!("a provider is async: write `async fn {}`", sig.ident),
        );
    }
    if !sig.generics.params.is_empty() {
        errors.at(
            &sig.generics,
            "a provider cannot have generic parameters: use concrete types",
        );
    }
    let mut needs = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(own) => errors.at(own, "a provider is a free function: move it out of the `impl` and take the value as a parameter"),
            FnArg::Typed(argument) => match &*argument.ty {
                Type::Reference(reference) => {
                    let inner = &reference.elem;
                    errors.at(reference, format!("the parameters of a provider are owned: write `{}` without `&`", quote!(#inner)));
                }
                Type::ImplTrait(any) => errors.at(any, "use a concrete type; for a port, write `Arc<dyn Port>`"),
                ty => needs.push(ty.clone()),
            },
        }
    }
    let ReturnType::Type(_, answer) = &sig.output else {
        errors.at(&sig.ident, format!("`{0}` returns nothing: write `async fn {0}(..) -> T`, or `-> Result<T, E>` if it can fail", sig.ident));
        return None;
    };
    let (made, error) = split(answer, errors);
    refuse_foreign(&made, errors);
    Some(Model { needs, made, error })
}

/// Splits `Result<T, E>` into `T` and `E`.
pub(crate) fn split(answer: &Type, errors: &mut Errors) -> (Type, Option<Type>) {
    let Some((name, types)) = outer(answer) else {
        return (answer.clone(), None);
    };
    match (&*name, &*types) {
        ("Result", [made, error]) => (made.clone(), Some(error.clone())),
        ("Result", [made]) => {
            let made = quote!(#made);
            errors.at(answer, format!("the error of a provider is part of the API: write both types, `Result<{made}, E>`"));
            (answer.clone(), None)
        }
        _ => (answer.clone(), None),
    }
}

/// Rejects types of other crates with a shorter message than the compiler's.
pub(crate) fn refuse_foreign(made: &Type, errors: &mut Errors) {
    if let Type::ImplTrait(any) = made {
        errors.at(any, "return a concrete type; for a port, bind an adapter in a module: `.bind::<dyn Port, Adapter>()`");
        return;
    }
    let Some((name, types)) = outer(made) else {
        return;
    };
    match (&*name, types.is_empty()) {
        ("Arc", false) => errors.at(
            made,
            "a module provides an `Arc`: return the inner type and derive `Clone`, or register a value with `.provide(value)`",
        ),
        ("Option" | "Vec" | "Box" | "HashMap", false) => {
            errors.at(made, format!("`{name}` is a type of the standard library: wrap it in a struct and return that"));
        }
        _ => {}
    }
}

/// Returns the last name of a path and the types in its angle brackets.
fn outer(ty: &Type) -> Option<(String, Vec<Type>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let types = match &last.arguments {
        PathArguments::AngleBracketed(list) => {
            list.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
        }
        _ => return Some((last.ident.to_string(), Vec::new())),
    };
    Some((last.ident.to_string(), types.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};

    #[test]
    fn the_function_stays_and_the_type_learns_to_be_made() {
        let code = rust(expand(
            quote!(application),
            quote! { async fn lock(teardown: Teardown, pool: Pool) -> Result<Lock, NoLock> { todo!() } },
        ));
        for part in [
            "async fn lock (teardown : Teardown , pool : Pool) -> Result < Lock , NoLock >",
            "impl :: doyen :: __private :: Inject for Lock",
            "Lifetime :: Application",
            ". fails (< NoLock as :: doyen :: __private :: Problem > :: catalogue ())",
            "| need_0 , need_1 | lock (need_0 , need_1)",
        ] {
            assert!(code.contains(part), "{part} is missing in {code}");
        }
    }

    #[test]
    fn a_type_that_cannot_fail_has_no_problems() {
        let code = rust(expand(
            TokenStream::new(),
            quote! { async fn now() -> Now { Now } },
        ));
        assert!(
            !code.contains("fails") && code.contains("| | now ()"),
            "{code}"
        );
        // A local type of this name is allowed.
        assert!(
            rust(expand(
                TokenStream::new(),
                quote! { async fn get() -> Result { Result } }
            ))
            .contains("Inject for Result")
        );
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        assert_eq!(
            messages(expand(
                quote!(forever),
                quote! { fn lock<T>(&self, a: &Pool, b: impl Clock) {} }
            )),
            [
                "unknown argument `forever`: write `application`, `request` or `call`",
                "a provider is async: write `async fn lock`",
                "a provider cannot have generic parameters: use concrete types",
                "a provider is a free function: move it out of the `impl` and take the value as a parameter",
                "the parameters of a provider are owned: write `Pool` without `&`",
                "use a concrete type; for a port, write `Arc<dyn Port>`",
                "`lock` returns nothing: write `async fn lock(..) -> T`, or `-> Result<T, E>` if it can fail",
            ]
        );
    }

    #[test]
    fn foreign_types_are_refused_with_a_remedy() {
        let wrong = |code: TokenStream| messages(expand(TokenStream::new(), code));
        assert_eq!(
            wrong(quote! { async fn a() -> Arc<Pool> {} }),
            [
                "a module provides an `Arc`: return the inner type and derive `Clone`, or register a value with `.provide(value)`"
            ]
        );
        assert_eq!(
            wrong(quote! { async fn a() -> Result<Option<User>, E> {} }),
            ["`Option` is a type of the standard library: wrap it in a struct and return that"]
        );
        assert_eq!(
            wrong(quote! { async fn a() -> io::Result<Pool> {} }),
            ["the error of a provider is part of the API: write both types, `Result<Pool, E>`"]
        );
        assert_eq!(
            wrong(quote! { struct A; }),
            ["`#[provider]` applies to a function: write `async fn name(a: A) -> T`"]
        );
    }
}
