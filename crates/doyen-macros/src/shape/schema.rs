//! The schema of a type, as far as both sides generate the same code.
//!
//! The functions take the module that the code calls, `input::parts` or `output::parts`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use super::{Model, Side, Variant, VariantBody, generics};

/// Generates the body of `fn schema`, which defines the schema as a component.
pub(crate) fn component<S: Side>(
    model: &Model<S>,
    parts: &Path,
    bound: &Path,
    build: &TokenStream,
) -> TokenStream {
    let name = generics::name(&model.name, &model.generics, bound);
    quote! {
        let __name = #name;
        #parts::define::<Self>(__all, __name, |__all| #build)
    }
}

/// Generates the schema of a string of a fixed set.
pub(crate) fn choice<S: Side>(parts: &Path, variants: &[Variant<S>], docs: &str) -> TokenStream {
    let names = variants.iter().map(|variant| &variant.wire);
    let docs = with_variants(docs, variants);
    quote!(#parts::words(&[#(#names),*], #docs))
}

/// Returns the description of an enum, with a line for each documented variant.
fn with_variants<S: Side>(docs: &str, variants: &[Variant<S>]) -> String {
    let lines: Vec<String> = variants
        .iter()
        .filter(|variant| !variant.docs.is_empty())
        .map(|variant| {
            let summary = variant.docs.split("\n\n").next().unwrap_or_default();
            format!("- `{}`: {summary}", variant.wire)
        })
        .collect();
    let parts = [docs.to_owned(), lines.join("\n")];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Generates the schema of an enum without a tag: any of its types.
pub(crate) fn untagged<S: Side>(
    parts: &Path,
    bound: &Path,
    variants: &[Variant<S>],
    docs: &str,
) -> TokenStream {
    let types = variants.iter().filter_map(|variant| match &variant.body {
        VariantBody::Inner(ty) => Some(ty),
        _ => None,
    });
    let docs = with_variants(docs, variants);
    quote!({
        let __types = #parts::list([#(<#types as #bound>::schema(__all)),*]);
        #parts::any_of(__types, #docs)
    })
}

/// Generates the schema of a tagged enum. `fields` generates the fields of a variant and whether
/// unknown fields are allowed, as a tuple.
pub(crate) fn tagged<S: Side>(
    model: &Model<S>,
    parts: &Path,
    tag: &str,
    variants: &[Variant<S>],
    fields: impl Fn(&Variant<S>) -> TokenStream,
) -> TokenStream {
    let docs = &model.docs;
    let all = variants.iter().map(|variant| {
        let (wire, docs) = (&variant.wire, &variant.docs);
        let component = format!("{}{}", model.name, variant.ident);
        let fields = fields(variant);
        quote! {
            {
                // A component is identified by its type; a variant has none of its own.
                struct __Variant;
                let __schema = #parts::define::<__Variant>(__all, #component, |__all| {
                    let (__fields, __open) = #fields;
                    #parts::variant(#tag, #wire, __fields, __open, #docs)
                });
                #parts::Variant { word: #wire, schema: __schema }
            }
        }
    });
    quote! {
        {
            let __variants = #parts::list([#(#all),*]);
            #parts::one_of(#tag, __variants, #docs)
        }
    }
}
