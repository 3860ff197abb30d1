//! `#[derive(Inject)]`: constructs a struct from injectable fields.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, GenericParam, Generics, Ident, Index, Member, Type, parse_quote};

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
    let (_, type_generics, _) = item.generics.split_for_impl();
    let made: Type = parse_quote!(#name #type_generics);
    Ok(implementation(&Recipe {
        lifetime,
        made: &made,
        generics: &item.generics,
        needs: &needs,
        error: None,
        maker: &maker,
    }))
}

/// The variable names of the dependencies.
pub(crate) fn argument_names(needs: &[Type]) -> Vec<Ident> {
    (0..needs.len())
        .map(|i| format_ident!("need_{}", i))
        .collect()
}

/// What an `impl Inject` is generated from.
pub(crate) struct Recipe<'a> {
    pub(crate) lifetime: Ident,
    /// The type that is constructed.
    pub(crate) made: &'a Type,
    pub(crate) generics: &'a Generics,
    /// The types of the dependencies.
    pub(crate) needs: &'a [Type],
    pub(crate) error: Option<&'a Type>,
    /// Takes the dependencies and returns a future of the value, or of a `Result` if there is an
    /// `error`.
    pub(crate) maker: &'a TokenStream,
}

/// Generates an `impl Inject`.
///
/// The compiler reports a dependency that cannot be injected in each body that names its type. So
/// the types are named once, as the associated types of a private trait, and the bodies are generic
/// over them. This is also why `cx.get::<Arc<dyn Port>>()` compiles: inside a future, the compiler
/// does not see that `dyn Port` is `'static` (E0477).
pub(crate) fn implementation(recipe: &Recipe<'_>) -> TokenStream {
    let Recipe {
        lifetime,
        made,
        generics,
        needs,
        error,
        maker,
    } = recipe;
    let (impl_generics, _, conditions) = generics.split_for_impl();
    let unlisted = text::unlisted();
    let fails = error.map(|error| quote_spanned!(error.span()=> .fails(<#error as ::doyen::__private::Problem>::catalogue())));
    let names = argument_names(needs);
    let kinds: Vec<TokenStream> = (0..needs.len())
        .map(|i| quote!(<All as Dependency<#i>>::Type))
        .collect();
    let dependencies = needs.iter().enumerate().map(|(i, ty)| {
        quote_spanned! {ty.span()=>
            impl #impl_generics Dependency<#i> for #made #conditions {
                type Type = #ty;
            }
        }
    });
    let all: Vec<TokenStream> = (0..needs.len()).map(|i| quote!(Dependency<#i>)).collect();
    let (answer, made_error, end) = match error {
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
    let dependency = (!needs.is_empty()).then(|| {
        quote! {
            trait Dependency<const INDEX: usize> {
                type Type: ::doyen::__private::Inject;
            }
        }
    });
    quote! {
        const _: () = {
            #dependency
            #(#dependencies)*

            #[automatically_derived]
            #unlisted
            impl #impl_generics ::doyen::__private::Inject for #made #conditions {
                const LIFETIME: ::doyen::__private::Lifetime = ::doyen::__private::Lifetime::#lifetime;

                fn node() -> ::doyen::__private::Node {
                    fn needs<All: #(#all)+*>() -> ::std::vec::Vec<::doyen::__private::Need> {
                        ::std::vec![#(<#kinds as ::doyen::__private::Inject>::node),*]
                    }
                    ::doyen::__private::Node::of::<Self>(needs::<Self>())#fails
                }

                fn make(
                    cx: &::doyen::__private::Context,
                ) -> impl ::core::future::Future<Output = ::core::result::Result<Self, ::doyen::__private::Refusal>> + ::core::marker::Send {
                    // Not `async fn`: that it is `Send` is proved here, once for all types.
                    fn assemble<All: #(#all)+*, Maker, Making, Made #made_error>(
                        cx: &::doyen::__private::Context,
                        maker: Maker,
                    ) -> impl ::core::future::Future<Output = ::core::result::Result<Made, ::doyen::__private::Refusal>> + ::core::marker::Send
                    where
                        Maker: ::core::ops::FnOnce(#(#kinds),*) -> Making + ::core::marker::Send,
                        Making: ::core::future::Future<Output = #answer> + ::core::marker::Send,
                    {
                        async move {
                            #unused
                            #(let #names = cx.get::<#kinds>().await?;)*
                            let made = maker(#(#names),*);
                            #end
                        }
                    }
                    assemble::<Self, _, _, _ #holes>(cx, #maker)
                }
            }
        };
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
            code.contains("type Type = Arc < dyn Clock >") && code.contains("type Type = Cart"),
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
