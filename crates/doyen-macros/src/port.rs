//! `#[port]`: a trait of the domain with async methods, used as `Arc<dyn Trait>`.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{
    FnArg, GenericParam, ImplItem, Item, ItemImpl, ItemTrait, ReturnType, Signature, TraitItem,
    Type, TypeParamBound,
};

use crate::text::{Errors, cfgs};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    if !arguments.is_empty() {
        errors.at(arguments, "`#[port]` takes no arguments: write `#[port]`");
    }
    match syn::parse2(item)? {
        Item::Trait(item) => port(item, errors),
        Item::Impl(item) => adapter(item, errors),
        other => {
            errors.at(
                other,
                "`#[port]` applies to a trait, or to `impl Trait for Adapter`",
            );
            errors.finish(TokenStream::new())
        }
    }
}

/// Expands the trait: makes it thread-safe and available to bindings.
fn port(mut item: ItemTrait, mut errors: Errors) -> syn::Result<TokenStream> {
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a port cannot have generic parameters: write a trait for each type",
        );
    }
    let mut waits = false;
    for member in &item.items {
        match member {
            TraitItem::Fn(method) => {
                waits |= method.sig.asyncness.is_some();
                refuse_unsafe_for_dyn(&method.sig, &mut errors);
            }
            TraitItem::Type(ty) => errors.at(
                ty,
                "a port cannot have associated types, because it is used as `dyn Trait`: use a concrete type",
            ),
            TraitItem::Const(constant) => errors.at(
                constant,
                "a port cannot have constants, because it is used as `dyn Trait`: write a method",
            ),
            _ => {}
        }
    }
    errors.finish(())?;
    supertraits(&mut item);
    item.items.push(attribute_check(waits));
    let attribute = waits.then(async_trait);
    let cfgs = cfgs(&item.attrs);
    let name = &item.ident;
    Ok(quote! {
        #attribute
        #item

        #(#cfgs)*
        #[automatically_derived]
        impl<Adapter: #name + 'static> ::doyen::__private::Port<Adapter> for dyn #name {
            fn adapt(adapter: Adapter) -> ::std::sync::Arc<Self> {
                ::std::sync::Arc::new(adapter)
            }
        }
    })
}

/// Generates the item that only the attribute implements. Without it, the compiler would report the
/// changed lifetimes of the async methods (E0195) and not what is missing.
fn attribute_check(waits: bool) -> TraitItem {
    if waits {
        syn::parse_quote! {
            #[doc(hidden)]
            fn add_the_attribute_port_above_this_impl() where Self: ::core::marker::Sized;
        }
    } else {
        syn::parse_quote! {
            #[doc(hidden)]
            fn add_the_attribute_port_above_this_impl() where Self: ::core::marker::Sized {}
        }
    }
}

/// Expands an implementation: its async methods get the form that the trait has.
fn adapter(mut item: ItemImpl, mut errors: Errors) -> syn::Result<TokenStream> {
    if item.trait_.is_none() {
        errors.at(
            &item.self_ty,
            "`#[port]` applies to `impl Trait for Adapter`; inherent methods do not need it",
        );
    }
    errors.finish(())?;
    let waits = item
        .items
        .iter()
        .any(|member| matches!(member, ImplItem::Fn(method) if method.sig.asyncness.is_some()));
    let attribute = waits.then(async_trait);
    item.items.push(syn::parse_quote! {
        fn add_the_attribute_port_above_this_impl() {}
    });
    Ok(quote!(#attribute #item))
}

fn async_trait() -> TokenStream {
    quote!(#[::doyen::__private::async_trait::async_trait])
}

/// Adds the bounds that `Arc<dyn Trait>` needs to be sent between threads.
fn supertraits(item: &mut ItemTrait) {
    let has = |name: &str| {
        item.supertraits.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => bound
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == name),
            TypeParamBound::Lifetime(lifetime) => name == "'static" && lifetime.ident == "static",
            _ => false,
        })
    };
    let missing = [
        (has("Send"), quote!(::core::marker::Send)),
        (has("Sync"), quote!(::core::marker::Sync)),
        (has("'static"), quote!('static)),
    ];
    for (_, bound) in missing.into_iter().filter(|(present, _)| !present) {
        item.supertraits.push(syn::parse_quote!(#bound));
    }
    item.colon_token.get_or_insert_with(Default::default);
}

/// Rejects methods that `dyn Trait` cannot have.
fn refuse_unsafe_for_dyn(sig: &Signature, errors: &mut Errors) {
    let name = &sig.ident;
    match sig.inputs.first() {
        Some(FnArg::Receiver(own)) if own.reference.is_some() || own.colon_token.is_some() => {}
        Some(FnArg::Receiver(own)) => errors.at(own, format!("a port is shared: use `&self` in `{name}`")),
        _ => errors.at(name, format!("`{name}` has no `&self`, so it cannot be called through `dyn Trait`: add `&self`, or write a free function")),
    }
    for param in &sig.generics.params {
        if !matches!(param, GenericParam::Lifetime(_)) {
            errors.at(
                param,
                format!("a method of a port cannot have generic parameters: use a concrete type in `{name}`"),
            );
        }
    }
    for input in &sig.inputs {
        if let FnArg::Typed(argument) = input
            && let Type::ImplTrait(any) = &*argument.ty
        {
            errors.at(any, format!("a method of a port cannot have `impl` parameters: use a concrete type in `{name}`, or take `&dyn`"));
        }
    }
    if let ReturnType::Type(_, answer) = &sig.output {
        match &**answer {
            Type::ImplTrait(any) => errors.at(
                any,
                format!(
                    "a method of a port returns a concrete type: name it in `{name}`, or box it"
                ),
            ),
            ty if ty.to_token_stream().to_string() == "Self" => {
                errors.at(ty, format!("`{name}` cannot return `Self`, because `dyn Trait` hides the type: use a concrete type"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};

    fn expanded(item: TokenStream) -> syn::Result<TokenStream> {
        expand(TokenStream::new(), item)
    }

    #[test]
    fn a_trait_becomes_shareable_and_bindable() {
        let code = rust(expanded(
            quote! { pub trait Orders { async fn all(&self) -> Vec<Order>; } },
        ));
        for part in [
            "async_trait :: async_trait",
            ":: core :: marker :: Send + :: core :: marker :: Sync + 'static",
            "Port < Adapter > for dyn Orders",
        ] {
            assert!(code.contains(part), "{part} is missing in {code}");
        }
    }

    #[test]
    fn existing_bounds_are_not_added_again() {
        let code = rust(expanded(
            quote! { trait Orders: Send + std::marker::Sync + 'static { fn count(&self) -> u64; } },
        ));
        assert!(
            !code.contains("async_trait")
                && code.contains("trait Orders : Send + std :: marker :: Sync + 'static {"),
            "{code}"
        );
    }

    #[test]
    fn an_implementation_only_gets_its_async_methods_changed() {
        assert!(
            rust(expanded(
                quote! { impl Orders for Sql { async fn all(&self) {} } }
            ))
            .contains("async_trait")
        );
        assert!(
            !rust(expanded(
                quote! { impl Orders for Sql { fn all(&self) {} } }
            ))
            .contains("async_trait")
        );
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let wrong = messages(expanded(quote! {
            trait Orders<T> {
                type Row;
                const MAX: u32;
                fn new() -> Self;
                async fn take(self);
                fn find<K>(&self, key: K, other: impl Clock) -> impl Iterator;
            }
        }));
        assert_eq!(
            wrong,
            [
                "a port cannot have generic parameters: write a trait for each type",
                "a port cannot have associated types, because it is used as `dyn Trait`: use a concrete type",
                "a port cannot have constants, because it is used as `dyn Trait`: write a method",
                "`new` has no `&self`, so it cannot be called through `dyn Trait`: add `&self`, or write a free function",
                "`new` cannot return `Self`, because `dyn Trait` hides the type: use a concrete type",
                "a port is shared: use `&self` in `take`",
                "a method of a port cannot have generic parameters: use a concrete type in `find`",
                "a method of a port cannot have `impl` parameters: use a concrete type in `find`, or take `&dyn`",
                "a method of a port returns a concrete type: name it in `find`, or box it",
            ]
        );
        assert_eq!(
            messages(expanded(quote! { struct A; })),
            ["`#[port]` applies to a trait, or to `impl Trait for Adapter`"]
        );
        assert_eq!(
            messages(expanded(quote! { impl A {} })),
            ["`#[port]` applies to `impl Trait for Adapter`; inherent methods do not need it"]
        );
        assert_eq!(
            messages(expand(quote!(x), quote! { trait A {} })),
            ["`#[port]` takes no arguments: write `#[port]`"]
        );
    }
}
