//! `#[provider]`: an `async fn` that makes what can be injected. The function stays as written; the type it answers learns to be made.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, GenericArgument, ItemFn, PathArguments, ReturnType, Type};

use crate::inject::{argument_names, body, lifetime};
use crate::text::{Errors, arguments, cfgs};

pub(crate) fn expand(words: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let lifetime = {
        let words = errors.keep(arguments(words)).unwrap_or_default();
        lifetime(&words, &mut errors)
    };
    let function: ItemFn = syn::parse2(item).map_err(|error| {
        syn::Error::new(
            error.span(),
            "`#[provider]` stands above a function: write `async fn name(a: A) -> T`",
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
    let body = body(&lifetime, &needs, error.as_ref(), &maker);
    Ok(quote! {
        #function

        #(#cfgs)*
        #[automatically_derived]
        impl ::doyen::__private::Inject for #made {
            #body
        }
    })
}

struct Model {
    /// The types of the parameters.
    needs: Vec<Type>,
    /// The type that is made.
    made: Type,
    /// The problem making it can end in.
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
            "a provider makes one type: remove the generic parameters and name the types",
        );
    }
    let mut needs = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(own) => errors.at(own, "a provider is a free function: move it out of the `impl` and ask for the type as a parameter"),
            FnArg::Typed(argument) => match &*argument.ty {
                Type::Reference(reference) => {
                    let inner = &reference.elem;
                    errors.at(reference, format!("a provider owns what it asks for: write `{}` without `&`", quote!(#inner)));
                }
                Type::ImplTrait(any) => errors.at(any, "name the type that is asked for; for a port write `Arc<dyn Port>`"),
                ty => needs.push(ty.clone()),
            },
        }
    }
    let ReturnType::Type(_, answer) = &sig.output else {
        errors.at(&sig.ident, format!("`{0}` makes nothing: write `async fn {0}(..) -> T`, or `-> Result<T, E>` when it can fail", sig.ident));
        return None;
    };
    let (made, error) = split(answer, errors);
    refuse_foreign(&made, errors);
    Some(Model { needs, made, error })
}

/// `Result<T, E>` as `T` and `E`.
fn split(answer: &Type, errors: &mut Errors) -> (Type, Option<Type>) {
    let Some((name, types)) = outer(answer) else {
        return (answer.clone(), None);
    };
    match (&*name, &*types) {
        ("Result", [made, error]) => (made.clone(), Some(error.clone())),
        ("Result", [made]) => {
            let made = quote!(#made);
            errors.at(answer, format!("the error of a provider is part of the contract: write both types, `Result<{made}, E>`"));
            (answer.clone(), None)
        }
        _ => (answer.clone(), None),
    }
}

/// Says early what the compiler would say with many words: these types are not the user's own.
fn refuse_foreign(made: &Type, errors: &mut Errors) {
    if let Type::ImplTrait(any) = made {
        errors.at(any, "name the type that is made; for a port, bind an adapter in a module: `.bind::<dyn Port, Adapter>()`");
        return;
    }
    let Some((name, types)) = outer(made) else {
        return;
    };
    match (&*name, types.is_empty()) {
        ("Arc", false) => errors.at(
            made,
            "an `Arc` is supplied by a module: make the type inside and derive `Clone`, or give a value with `.provide(value)`",
        ),
        ("Option" | "Vec" | "Box" | "HashMap", false) => {
            errors.at(made, format!("`{name}` is everybody's type: wrap it in a struct of your own and make that"));
        }
        _ => {}
    }
}

/// The last name of a path and the types in its angle brackets.
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
    fn a_type_that_can_not_fail_has_no_problems() {
        let code = rust(expand(
            TokenStream::new(),
            quote! { async fn now() -> Now { Now } },
        ));
        assert!(
            !code.contains("fails") && code.contains("| | now ()"),
            "{code}"
        );
        // The user's own type of this name is a type like any other.
        assert!(
            rust(expand(
                TokenStream::new(),
                quote! { async fn get() -> Result { Result } }
            ))
            .contains("Inject for Result")
        );
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        assert_eq!(
            messages(expand(
                quote!(forever),
                quote! { fn lock<T>(&self, a: &Pool, b: impl Clock) {} }
            )),
            [
                "unknown word `forever`: write `application`, `request` or `call`",
                "a provider is async: write `async fn lock`",
                "a provider makes one type: remove the generic parameters and name the types",
                "a provider is a free function: move it out of the `impl` and ask for the type as a parameter",
                "a provider owns what it asks for: write `Pool` without `&`",
                "name the type that is asked for; for a port write `Arc<dyn Port>`",
                "`lock` makes nothing: write `async fn lock(..) -> T`, or `-> Result<T, E>` when it can fail",
            ]
        );
    }

    #[test]
    fn types_of_others_are_refused_with_the_way_out() {
        let wrong = |code: TokenStream| messages(expand(TokenStream::new(), code));
        assert_eq!(
            wrong(quote! { async fn a() -> Arc<Pool> {} }),
            [
                "an `Arc` is supplied by a module: make the type inside and derive `Clone`, or give a value with `.provide(value)`"
            ]
        );
        assert_eq!(
            wrong(quote! { async fn a() -> Result<Option<User>, E> {} }),
            ["`Option` is everybody's type: wrap it in a struct of your own and make that"]
        );
        assert_eq!(
            wrong(quote! { async fn a() -> io::Result<Pool> {} }),
            [
                "the error of a provider is part of the contract: write both types, `Result<Pool, E>`"
            ]
        );
        assert_eq!(
            wrong(quote! { struct A; }),
            ["`#[provider]` stands above a function: write `async fn name(a: A) -> T`"]
        );
    }
}
