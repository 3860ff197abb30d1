//! `#[derive(Settings)]` on an enum: the value of one setting.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::role::{Naming, read};
use crate::text::either;

pub(super) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let model = read(
        item,
        &Naming {
            attribute: "setting",
            example: "word",
            required: false,
        },
    )?;
    let name = &model.name;
    let (variants, names): (Vec<_>, Vec<_>) = model
        .variants
        .iter()
        .map(|variant| (&variant.ident, &variant.name))
        .unzip();
    let kind = either(&names);
    let numbers = 0..variants.len();
    Ok(quote! {
        #[automatically_derived]
        impl ::doyen::__private::settings::Setting for #name {
            fn kind() -> ::std::string::String {
                <::std::string::String as ::core::convert::From<&str>>::from(#kind)
            }
            fn read(
                raw: &::doyen::__private::settings::Raw,
            ) -> ::core::result::Result<Self, ::doyen::__private::settings::Wrong> {
                ::core::result::Result::map(::doyen::__private::settings::choose(raw, &[#(#names),*]), |name| match name {
                    #(#numbers => Self::#variants,)*
                    _ => ::core::unreachable!("one of the words"),
                })
            }
        }
    })
}
