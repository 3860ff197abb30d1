//! Generates the function, and the type of the same name that describes the route.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ItemFn;
use syn::spanned::Spanned as _;

use super::model::Route;

pub(super) fn route(model: &Route, function: &ItemFn) -> TokenStream {
    let Route {
        method,
        path,
        summary,
        description,
        ..
    } = model;
    let name = &function.sig.ident;
    let visibility = &function.vis;
    let own_name = name.to_string();
    let docs = format!(
        "The route of [`{own_name}()`]({own_name}()): `{method} {}`.",
        path.value()
    );
    let policies = model
        .policies
        .iter()
        .map(|(policy, value)| quote! { .#policy(#value) });

    // A closure takes the extracted values and calls the handler.
    let definitions = model.signature.definitions();
    let elements = model.signature.elements();
    let last = elements.len().saturating_sub(1);
    let parts = elements.iter().enumerate();
    let parts = parts.map(|(index, element)| element.part(index == last));
    let taken = elements.iter().map(|element| {
        let (variable, kind) = (&element.variable, &element.kind);
        quote!(#variable: #kind)
    });
    let passed = model.signature.passed();
    let returned = match &function.sig.output {
        // The compiler knows the type behind `impl IntoResponse`.
        syn::ReturnType::Type(_, returned) if has_impl(returned) => {
            quote!(::doyen::__private::web::returned::<_>())
        }
        syn::ReturnType::Type(_, returned) => {
            let span = returned.span().resolved_at(Span::call_site());
            quote_spanned!(span=> ::doyen::__private::web::returned::<#returned>())
        }
        syn::ReturnType::Default => quote!(::doyen::__private::web::returned::<()>()),
    };

    quote! {
        #function

        #[doc = #docs]
        #[allow(non_camel_case_types, reason = "it has the name of its handler")]
        #visibility struct #name {}

        impl ::doyen::__private::web::Linked for #name {}

        impl #name {
            #[doc = #docs]
            #[allow(non_camel_case_types, reason = "markers have the names of their parameters")]
            #visibility fn route() -> ::doyen::__private::web::Route {
                #definitions
                ::doyen::__private::web::Route::new(#method, #path)
                    .name(#own_name)
                    .summary(#summary)
                    .description(#description)
                    .linked::<#name>()
                    #(#policies)*
                    .generated((#(#parts,)* #returned, |#(#taken),*| #name(#(#passed),*)))
            }
        }
    }
}

/// Generates the function, and the type of the same name that describes the route of a socket.
pub(super) fn socket(model: &Route, function: &ItemFn) -> TokenStream {
    let Route {
        path,
        summary,
        description,
        ..
    } = model;
    let name = &function.sig.ident;
    let visibility = &function.vis;
    let own_name = name.to_string();
    let docs = format!(
        "The socket of [`{own_name}()`]({own_name}()): `{}`.",
        path.value()
    );
    let policies = model
        .policies
        .iter()
        .map(|(policy, value)| quote! { .#policy(#value) });
    // At the function, so that a wrong signature is reported there.
    let handler = quote_spanned!(name.span()=> ::doyen::__private::live::socket(#name));
    quote! {
        #function

        #[doc = #docs]
        #[allow(non_camel_case_types, reason = "it has the name of its handler")]
        #visibility struct #name {}

        impl ::doyen::__private::web::Linked for #name {}

        impl #name {
            #[doc = #docs]
            #visibility fn route() -> ::doyen::__private::web::Route {
                ::doyen::__private::web::Route::new("GET", #path)
                    .name(#own_name)
                    .summary(#summary)
                    .description(#description)
                    .linked::<#name>()
                    .hidden()
                    #(#policies)*
                    .handler(#handler)
            }
        }
    }
}

/// Returns true for a type with `impl Trait` in it.
fn has_impl(ty: &syn::Type) -> bool {
    struct Finder(bool);
    impl<'ast> syn::visit::Visit<'ast> for Finder {
        fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut finder = Finder(false);
    syn::visit::Visit::visit_type(&mut finder, ty);
    finder.0
}
