//! `#[derive(Inject)]`: constructs a struct from injectable fields.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, GenericParam, Ident, Index, Member, Type};

use crate::text::{self, Argument, Errors};

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let arguments = text::arguments(&item.attrs, "inject", &mut errors);
    let lifetime = lifetime(&arguments, &mut errors);
    for param in &item.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.at(
                lifetime,
                "an injected value is owned: use an `Arc` instead of a reference",
            );
        }
    }
    let Data::Struct(data) = &item.data else {
        errors.at(
            &item.ident,
            format!(
                "only a struct can be constructed from its fields: write `#[provider] async fn ..(..) -> {}`",
                item.ident
            ),
        );
        return errors.finish(TokenStream::new());
    };
    errors.finish(())?;
    let needs: Vec<Type> = data.fields.iter().map(|field| field.ty.clone()).collect();
    let names = argument_names(&needs);
    let members = data.fields.iter().enumerate().map(|(i, field)| {
        field
            .ident
            .clone()
            .map_or_else(|| Member::Unnamed(Index::from(i)), Member::Named)
    });
    let maker = quote!(|#(#names),*| ::core::future::ready(Self { #(#members: #names),* }));
    let name = &item.ident;
    let (impl_generics, type_generics, conditions) = item.generics.split_for_impl();
    let body = body(&lifetime, &needs, None, &maker);
    let unlisted = text::unlisted();
    Ok(quote! {
        #[automatically_derived]
        #unlisted
        impl #impl_generics ::doyen::__private::Inject for #name #type_generics #conditions {
            #body
        }
    })
}

/// The variable names of the dependencies.
pub(crate) fn argument_names(needs: &[Type]) -> Vec<Ident> {
    (0..needs.len())
        .map(|i| format_ident!("need_{}", i))
        .collect()
}

/// Generates the items of an `impl Inject`. `maker` takes the dependencies and returns a future of
/// the value, or of a `Result` if there is an `error`.
///
/// The dependencies are resolved in an inner function that is generic over them. In an async body,
/// `cx.get::<Arc<dyn Port>>()` would not compile: inside a future, the compiler does not see that
/// `dyn Port` is `'static` (E0477).
pub(crate) fn body(
    lifetime: &Ident,
    needs: &[Type],
    error: Option<&Type>,
    maker: &TokenStream,
) -> TokenStream {
    let nodes = needs
        .iter()
        .map(|ty| quote_spanned!(ty.span()=> <#ty as ::doyen::__private::Inject>::node as ::doyen::__private::Need));
    let fails = error.map(|error| quote_spanned!(error.span()=> .fails(<#error as ::doyen::__private::Problem>::catalogue())));
    let names = argument_names(needs);
    let kinds: Vec<Ident> = (0..needs.len())
        .map(|i| format_ident!("Need{}", i))
        .collect();
    let (answer, made, end) = match error {
        None => (
            quote!(Made),
            quote!(),
            quote!(::core::result::Result::Ok(made.await)),
        ),
        Some(_) => (
            quote!(::core::result::Result<Made, Error>),
            quote!(, Error: ::doyen::__private::Problem),
            quote! {
                match made.await {
                    ::core::result::Result::Ok(made) => ::core::result::Result::Ok(made),
                    ::core::result::Result::Err(error) => {
                        ::core::result::Result::Err(<::doyen::__private::Refusal as ::core::convert::From<Error>>::from(error))
                    }
                }
            },
        ),
    };
    let holes = error.map(|_| quote!(, _));
    let unused = needs.is_empty().then(|| quote!(let _ = cx;));
    quote! {
        const LIFETIME: ::doyen::__private::Lifetime = ::doyen::__private::Lifetime::#lifetime;

        fn node() -> ::doyen::__private::Node {
            ::doyen::__private::Node::of::<Self>(::std::vec![#(#nodes),*])#fails
        }

        fn make(
            cx: &::doyen::__private::Context,
        ) -> impl ::core::future::Future<Output = ::core::result::Result<Self, ::doyen::__private::Refusal>> + ::core::marker::Send {
            async fn assemble<#(#kinds: ::doyen::__private::Inject,)* Maker, Making, Made #made>(
                cx: &::doyen::__private::Context,
                maker: Maker,
            ) -> ::core::result::Result<Made, ::doyen::__private::Refusal>
            where
                Maker: ::core::ops::FnOnce(#(#kinds),*) -> Making + ::core::marker::Send,
                Making: ::core::future::Future<Output = #answer> + ::core::marker::Send,
            {
                #unused
                #(let #names = cx.get::<#kinds>().await?;)*
                let made = maker(#(#names),*);
                #end
            }
            assemble::<#(#needs,)* _, _, _ #holes>(cx, #maker)
        }
    }
}

/// Returns the variant of `Lifetime` that the attribute selects.
pub(crate) fn lifetime(arguments: &[Argument], errors: &mut Errors) -> Ident {
    const KNOWN: [&str; 3] = ["application", "request", "call"];
    let mut chosen: Option<&Argument> = None;
    for argument in arguments {
        errors.keep(argument.plain());
        if !KNOWN.contains(&&*argument.name()) {
            errors.at(&argument.name, text::unknown(&argument.name(), &KNOWN));
        } else if let Some(before) = chosen {
            errors.at(
                &argument.name,
                format!(
                    "a type has one lifetime: keep `{}` or `{}`",
                    before.name(),
                    argument.name()
                ),
            );
        } else {
            chosen = Some(argument);
        }
    }
    let argument = chosen.map_or_else(|| "request".to_owned(), Argument::name);
    format_ident!("{}", text::pascal(&argument))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn fields_are_injected_in_order() {
        let code = rust(expand(parse_quote! {
            #[inject(application)]
            struct Orders { clock: Arc<dyn Clock>, cart: Cart }
        }));
        assert!(code.contains("Lifetime :: Application"), "{code}");
        assert!(
            code.contains("assemble :: < Arc < dyn Clock > , Cart , _ , _ , _ >"),
            "{code}"
        );
        assert!(
            code.contains("Self { clock : need_0 , cart : need_1 }"),
            "{code}"
        );
    }

    #[test]
    fn tuples_units_and_parameters_work() {
        assert!(
            rust(expand(parse_quote! { struct Both(A, B); }))
                .contains("Self { 0 : need_0 , 1 : need_1 }")
        );
        assert!(rust(expand(parse_quote! { struct Nothing; })).contains("Lifetime :: Request"));
        assert!(
            rust(expand(parse_quote! { struct Of<T: Inject>(T); })).contains("impl < T : Inject >")
        );
    }

    #[test]
    fn mistakes_say_what_to_write() {
        assert_eq!(
            messages(expand(parse_quote! { enum Either { A, B } })),
            [
                "only a struct can be constructed from its fields: write `#[provider] async fn ..(..) -> Either`"
            ]
        );
        assert_eq!(
            messages(expand(parse_quote! {
                #[inject(aplication)]
                #[inject(call, request)]
                struct Short<'a>(&'a str);
            })),
            [
                "unknown argument `aplication`: did you mean `application`?",
                "a type has one lifetime: keep `call` or `request`",
                "an injected value is owned: use an `Arc` instead of a reference",
            ]
        );
    }
}
