//! `#[extractor]`: an `async fn` whose parameters are those of a handler, and whose result is a
//! parameter of handlers. The function is kept; the returned type implements `FromRequestParts`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ReturnType;

use super::parse;
use super::signature::{Signature, Way};
use crate::provider::{refuse_foreign, split};
use crate::text::{Errors, cfgs};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    if !arguments.is_empty() {
        errors.at(&arguments, "`#[extractor]` takes no arguments");
    }
    let mut function = parse::function(
        item,
        "`-> Value` with a type of this crate, or `-> Result<Value, E>`",
    )?;
    let signature = Signature::read(&mut function, None, &mut errors);
    for body in signature
        .parameters
        .iter()
        .filter(|one| one.way == Way::Body)
    {
        errors.at(
            &body.kind,
            "an extractor does not read the body: read it in the handler",
        );
    }
    if let Some(group) = signature.groups.iter().find(|group| group.is_body()) {
        errors.at(
            &function.sig.ident,
            format!("an extractor does not read the body: move the parameters with `#[{}]` to the handler", group.place),
        );
    }
    let ReturnType::Type(_, returned) = &function.sig.output else {
        return errors.finish(TokenStream::new());
    };
    let (made, error) = split(returned, &mut errors);
    refuse_foreign(&made, &mut errors);
    errors.finish(())?;

    let name = &function.sig.ident;
    let cfgs = cfgs(&function.attrs);
    let (definitions, passed) = (signature.definitions(), signature.passed());
    let elements = signature.elements();
    let kinds: Vec<_> = elements.iter().map(|one| &one.kind).collect();
    let variables: Vec<_> = elements.iter().map(|one| &one.variable).collect();
    let web = quote!(::doyen::__private::web);
    let call = match error {
        Some(_) => quote!(#name(#(#passed),*).await?),
        None => quote!(#name(#(#passed),*).await),
    };
    let fails = error.map(|error| {
        quote!(__contract.operation.fails(<#error as ::doyen::__private::Problem>::catalogue());)
    });
    Ok(quote! {
        #function

        #(#cfgs)*
        #[allow(non_camel_case_types, reason = "markers have the names of their parameters")]
        const _: () = {
            #definitions

            #[automatically_derived]
            impl #web::FromRequestParts for #made {
                async fn from_request_parts(
                    __request: &mut #web::Request,
                ) -> ::core::result::Result<::core::option::Option<Self>, #web::Refusal> {
                    if let ::core::option::Option::Some(__replaced) = #web::replaced(__request) {
                        return ::core::result::Result::Ok(::core::option::Option::Some(__replaced));
                    }
                    // Every parameter is read even if one fails, so that the client gets all
                    // failures at once.
                    #(let #variables = <#kinds as #web::FromRequestParts<_>>::from_request_parts(__request).await?;)*
                    #(let ::core::option::Option::Some(#variables) = #variables else {
                        return ::core::result::Result::Ok(::core::option::Option::None);
                    };)*
                    ::core::result::Result::Ok(::core::option::Option::Some(#call))
                }

                fn describe(__contract: &mut #web::Contract<'_>) {
                    #(<#kinds as #web::FromRequestParts<_>>::describe(__contract);)*
                    #fails
                }

                fn needs(__needs: &mut #web::Needs) {
                    __needs.0.push(|| {
                        #[allow(unused_mut, reason = "an extractor may need nothing")]
                        let mut __needs = #web::Needs::default();
                        #(<#kinds as #web::FromRequestParts<_>>::needs(&mut __needs);)*
                        #web::Node::extractor::<#made>(__needs)
                    });
                }
            }
        };
    })
}
