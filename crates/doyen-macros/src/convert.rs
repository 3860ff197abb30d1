//! Conversions between a derived type and a domain type, field by field or variant by variant.
//!
//! `#[output(from = Type)]` and `#[input(into = Type)]` generate `impl From`. Fields and variants
//! correspond by name.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, Path, PathArguments, Type};

use crate::shape::{Side, Variant, VariantBody, generic, local};
use crate::text::snake;

/// Generates the access to a field. A missing field is reported at the name of the other one.
pub(crate) fn field(value: &Ident, field: &Ident) -> TokenStream {
    quote_spanned!(field.span()=> #value.#field)
}

/// Generates the conversion of `value`; `ty` is the type of the field on the derived side.
///
/// The outer type decides: `Option`, `Vec` and `Patch` convert their elements, and every other type
/// goes through `Into`, which leaves a value of the same type as it is. The braces place errors at
/// the type of the field.
pub(crate) fn value(value: &TokenStream, ty: &Type) -> TokenStream {
    let span = ty.span();
    let element = Ident::new("__element", Span::call_site());
    let inside = |ty: &Type| self::value(&quote!(#element), ty);
    match generic(ty) {
        Some((name, ty)) if name == "Option" => {
            let inside = inside(ty);
            quote_spanned!(span=> ::core::option::Option::map(#value, |#element| #inside))
        }
        Some((name, ty)) if name == "Patch" => {
            let inside = inside(ty);
            quote_spanned!(span=> ::doyen::__private::Patch::map(#value, |#element| #inside))
        }
        Some((name, ty)) if name == "Vec" => {
            let inside = inside(ty);
            quote_spanned!(span=> ::core::iter::Iterator::collect::<::std::vec::Vec<_>>(::core::iter::Iterator::map(
                <::std::vec::Vec<_> as ::core::iter::IntoIterator>::into_iter(#value),
                |#element| #inside,
            )))
        }
        _ => quote_spanned!(span=> ::doyen::__private::ConvertInto::convert({ #value })),
    }
}

/// Generates the `match` that converts between two enums. `from` and `to` are their paths.
pub(crate) fn variants<S: Side>(
    value: &TokenStream,
    from: &Path,
    to: &Path,
    variants: &[Variant<S>],
) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let ident = &variant.ident;
        match &variant.body {
            VariantBody::Unit => quote!(#from::#ident => #to::#ident,),
            VariantBody::Inner(ty) => {
                let inner = self::value(&quote!(__inner), ty);
                quote!(#from::#ident(__inner) => #to::#ident(#inner),)
            }
            VariantBody::Fields(fields) => {
                let idents = || fields.iter().map(|field| &field.ident);
                let (read, written) = (idents(), idents());
                let locals = (0..fields.len()).map(local);
                let values = fields.iter().enumerate().map(|(position, field)| {
                    let local = local(position);
                    self::value(&quote!(#local), &field.ty)
                });
                quote!(#from::#ident { #(#read: #locals,)* .. } => #to::#ident { #(#written: #values),* },)
            }
        }
    });
    quote!(match #value { #(#arms)* })
}

/// Returns the path of a type as the start of a longer path, such as `Type::<A>` for `Type<A>`.
pub(crate) fn prefix(ty: &Type) -> Option<Path> {
    let Type::Path(path) = ty else { return None };
    if path.qself.is_some() {
        return None;
    }
    let mut path = path.path.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = Some(Default::default());
        }
    }
    Some(path)
}

/// Returns the name under which expressions in attributes see a value: the name of its type in
/// snake case, such as `new_ticket` for `NewTicket`.
pub(crate) fn binding(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|last| variable(&last.ident.to_string())),
        Type::Reference(reference) => binding(&reference.elem),
        _ => None,
    }
}

/// Returns the snake-case name of a type as a variable that expressions in attributes can use.
pub(crate) fn variable(name: &str) -> Ident {
    let name = snake(name);
    match syn::parse_str::<Ident>(&name) {
        Ok(_) => Ident::new(&name, Span::call_site()),
        // A keyword, such as `match` for `Match`.
        Err(_) => Ident::new_raw(&name, Span::call_site()),
    }
}
