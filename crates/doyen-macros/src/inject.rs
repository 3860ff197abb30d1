//! `#[derive(Inject)]`: a type made of types that can be injected.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Fields, GenericParam, Ident, Index, Member};

use crate::text::{self, Errors, Word};

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let words = text::words(&item.attrs, "inject", &mut errors);
    let lifetime = lifetime(&words, &mut errors);
    for param in &item.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.at(
                lifetime,
                "what is injected is owned: hold an `Arc` instead of a reference",
            );
        }
    }
    let Data::Struct(data) = &item.data else {
        errors.at(
            &item.ident,
            format!(
                "only a struct is made of its fields: write `#[provider] async fn ...(..) -> {}`",
                item.ident
            ),
        );
        return errors.finish(TokenStream::new());
    };
    let body = errors.finish(&data.fields).map(make)?;
    let types = data.fields.iter().map(|field| &field.ty);
    let needs = types.map(|ty| quote_spanned!(ty.span()=> <#ty as ::doyen::__private::Inject>::node as ::doyen::__private::Need));
    let name = &item.ident;
    let (impl_generics, type_generics, conditions) = item.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::doyen::__private::Inject for #name #type_generics #conditions {
            const LIFETIME: ::doyen::__private::Lifetime = ::doyen::__private::Lifetime::#lifetime;
            fn node() -> ::doyen::__private::Node {
                ::doyen::__private::Node::of::<Self>(::std::vec![#(#needs),*])
            }
            async fn make(cx: &::doyen::__private::Context) -> ::core::result::Result<Self, ::doyen::__private::Refusal> {
                #body
            }
        }
    })
}

/// Asks for each field in order.
fn make(fields: &Fields) -> TokenStream {
    let gets = fields.iter().enumerate().map(|(i, field)| {
        let member = field
            .ident
            .clone()
            .map_or_else(|| Member::Unnamed(Index::from(i)), Member::Named);
        let ty = &field.ty;
        quote_spanned!(ty.span()=> #member: cx.get::<#ty>().await?)
    });
    let unused = fields.is_empty().then(|| quote!(let _ = cx;));
    quote! {
        #unused
        ::core::result::Result::Ok(Self { #(#gets),* })
    }
}

/// The variant of `Lifetime` these words choose.
pub(crate) fn lifetime(words: &[Word], errors: &mut Errors) -> Ident {
    const KNOWN: [&str; 3] = ["application", "request", "call"];
    let mut chosen: Option<&Word> = None;
    for word in words {
        errors.keep(word.plain());
        if !KNOWN.contains(&&*word.name()) {
            errors.at(&word.name, text::unknown(&word.name(), &KNOWN));
        } else if let Some(before) = chosen {
            errors.at(
                &word.name,
                format!(
                    "one value has one lifetime: keep `{}` or `{}`",
                    before.name(),
                    word.name()
                ),
            );
        } else {
            chosen = Some(word);
        }
    }
    let word = chosen.map_or_else(|| "request".to_owned(), Word::name);
    format_ident!("{}", text::pascal(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn fields_are_asked_for_in_order() {
        let code = rust(expand(parse_quote! {
            #[inject(application)]
            struct Orders { clock: Arc<dyn Clock>, cart: Cart }
        }));
        assert!(code.contains("Lifetime :: Application"), "{code}");
        assert!(code.contains("clock : cx . get :: < Arc < dyn Clock > > () . await ? , cart : cx . get :: < Cart > () . await ?"), "{code}");
    }

    #[test]
    fn tuples_units_and_parameters_work() {
        assert!(
            rust(expand(parse_quote! { struct Both(A, B); })).contains("0 : cx . get :: < A >")
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
            ["only a struct is made of its fields: write `#[provider] async fn ...(..) -> Either`"]
        );
        assert_eq!(
            messages(expand(parse_quote! {
                #[inject(aplication)]
                #[inject(call, request)]
                struct Short<'a>(&'a str);
            })),
            [
                "unknown word `aplication`: did you mean `application`?",
                "one value has one lifetime: keep `call` or `request`",
                "what is injected is owned: hold an `Arc` instead of a reference",
            ]
        );
    }
}
