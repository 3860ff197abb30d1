//! Generates the impls of a problem.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{Ident, Member};

use super::model::{Case, Extra, Model, Row, Shape};
use crate::text::{pascal, unlisted};

pub(super) fn emit(model: &Model) -> TokenStream {
    let name = &model.name;
    let statics = model
        .cases
        .iter()
        .enumerate()
        .map(|(i, case)| row_static(i, case));
    let problem = problem(model);
    let froms = model.cases.iter().map(|case| from(name, case));
    quote! {
        const _: () = {
            #(#statics)*
            #problem
            #[automatically_derived]
            impl ::core::fmt::Display for #name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    match ::doyen::__private::Problem::detail(self) {
                        ::core::option::Option::Some(detail) => f.write_str(&detail),
                        ::core::option::Option::None => f.write_str(::doyen::__private::Problem::info(self).description),
                    }
                }
            }
            #[automatically_derived]
            impl ::core::error::Error for #name {
                fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                    ::doyen::__private::Problem::cause(self)
                }
            }
            #(#froms)*
        };
    }
}

fn static_name(i: usize) -> Ident {
    format_ident!("ROW_{}", i)
}

fn row_static(i: usize, case: &Case) -> TokenStream {
    let Shape::Own(row) = &case.shape else {
        return TokenStream::new();
    };
    let Row {
        kind,
        code,
        title,
        description,
        ..
    } = &**row;
    let name = static_name(i);
    let kind = match row.status {
        Some(status) => {
            quote!(Other(::doyen::__private::ErrorStatus::new(#status)))
        }
        None => format_ident!("{}", pascal(kind)).to_token_stream(),
    };
    quote! {
        static #name: ::doyen::__private::ProblemInfo = ::doyen::__private::ProblemInfo {
            code: #code,
            kind: ::doyen::__private::Kind::#kind,
            title: #title,
            description: #description,
        };
    }
}

fn problem(model: &Model) -> TokenStream {
    let name = &model.name;
    let catalogue = model.cases.iter().enumerate().map(|(i, case)| match &case.shape {
        Shape::Own(_) => {
            let row = static_name(i);
            quote!(all.push(&#row);)
        }
        Shape::Held { kind, .. } => {
            quote!(::core::iter::Extend::extend(&mut all, <#kind as ::doyen::__private::Problem>::catalogue());)
        }
    });
    let info = arms(model, "info", |i, _| {
        let row = static_name(i);
        Some((TokenStream::new(), quote!(&#row)))
    });
    let detail = method(
        model,
        "detail",
        quote!(::core::option::Option<::std::string::String>),
        |_, row| {
            let detail = row.detail.as_ref()?;
            let format = &detail.format;
            let (members, names): (Vec<_>, Vec<_>) = detail
                .fields
                .iter()
                .map(|(member, name)| (member, name))
                .unzip();
            Some((
                quote!(#(#members: #names,)*),
                quote!(::core::option::Option::Some(
                    ::std::format!(#format, #(#names = #names),*)
                )),
            ))
        },
    );
    let failures = method(
        model,
        "failures",
        quote!(::core::option::Option<&::doyen::__private::Failures>),
        |_, row| {
            Some(bound(
                row.failures.as_ref()?,
                quote!(::core::option::Option::Some(inner)),
            ))
        },
    );
    let retry_after = method(
        model,
        "retry_after",
        quote!(::core::option::Option<u32>),
        |_, row| {
            Some(bound(
                row.retry_after.as_ref()?,
                quote!(::core::option::Option::Some(*inner)),
            ))
        },
    );
    let cause = method(
        model,
        "cause",
        quote!(::core::option::Option<&(dyn ::core::error::Error + 'static)>),
        |_, row| {
            Some(bound(
                row.cause.as_ref()?,
                quote!(::core::option::Option::Some(inner)),
            ))
        },
    );
    let headers = list(
        model,
        "headers",
        quote!((&'static str, ::std::string::String)),
        |row| &row.headers,
        |name, value| quote!((#name, ::doyen::__private::header_text(#value))),
    );
    let members = list(
        model,
        "members",
        quote!((&'static str, ::doyen::__private::serde_json::Value)),
        |row| &row.members,
        |name, value| quote!((#name, ::doyen::__private::member_value(#value))),
    );
    let extras = extras(model);
    let unlisted = unlisted();
    quote! {
        #[automatically_derived]
        #unlisted
        impl ::doyen::__private::Problem for #name {
            fn info(&self) -> &'static ::doyen::__private::ProblemInfo {
                match self { #info }
            }
            fn catalogue() -> ::std::vec::Vec<&'static ::doyen::__private::ProblemInfo> {
                let mut all = ::std::vec::Vec::new();
                #(#catalogue)*
                all
            }
            #detail
            #failures
            #headers
            #members
            #extras
            #retry_after
            #cause
        }
    }
}

/// Generates a method that returns a list with an item for each marked field, or nothing if no
/// case has any.
fn list(
    model: &Model,
    name: &str,
    item: TokenStream,
    of: impl Fn(&Row) -> &Vec<Extra>,
    value: impl Fn(&str, TokenStream) -> TokenStream,
) -> TokenStream {
    let needed = model.cases.iter().any(|case| match &case.shape {
        Shape::Own(row) => !of(row).is_empty(),
        Shape::Held { .. } => true,
    });
    if !needed {
        return TokenStream::new();
    }
    let arms = arms(model, name, |_, row| {
        let extras = of(row);
        let names: Vec<Ident> = (0..extras.len())
            .map(|i| format_ident!("inner_{}", i))
            .collect();
        let binds = extras.iter().zip(&names).map(|(extra, name)| {
            let field = &extra.field;
            quote!(#field: #name,)
        });
        let pushes = extras.iter().zip(&names).map(|(extra, inner)| {
            if extra.is_optional {
                let item = value(&extra.name, quote!(inner));
                quote!(if let ::core::option::Option::Some(inner) = #inner { all.push(#item); })
            } else {
                let item = value(&extra.name, quote!(#inner));
                quote!(all.push(#item);)
            }
        });
        let list = if extras.is_empty() {
            quote!(::std::vec::Vec::new())
        } else {
            quote!({
                let mut all = ::std::vec::Vec::new();
                #(#pushes)*
                all
            })
        };
        Some((quote!(#(#binds)*), list))
    });
    let name = format_ident!("{}", name);
    quote! {
        fn #name(&self) -> ::std::vec::Vec<#item> {
            match self { #arms }
        }
    }
}

/// Generates the description of the headers and members.
fn extras(model: &Model) -> TokenStream {
    let items: Vec<TokenStream> = model
        .cases
        .iter()
        .filter_map(|case| match &case.shape {
            Shape::Own(row) if row.headers.is_empty() && row.members.is_empty() => None,
            Shape::Own(row) => {
                let code = &row.code;
                let pairs = |extras: &[Extra]| {
                    let pairs = extras.iter().map(|extra| {
                        let (name, description) = (&extra.name, &extra.description);
                        quote!((#name, #description))
                    });
                    quote!(&[#(#pairs),*])
                };
                let (headers, members) = (pairs(&row.headers), pairs(&row.members));
                Some(quote! {
                    all.push(::doyen::__private::ProblemExtras {
                        code: #code,
                        headers: #headers,
                        members: #members,
                    });
                })
            }
            Shape::Held { kind, .. } => Some(quote! {
                ::core::iter::Extend::extend(&mut all, <#kind as ::doyen::__private::Problem>::extras());
            }),
        })
        .collect();
    if items.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn extras() -> ::std::vec::Vec<::doyen::__private::ProblemExtras> {
            let mut all = ::std::vec::Vec::new();
            #(#items)*
            all
        }
    }
}

/// A field bound as `inner`, and the expression that uses it.
fn bound(member: &Member, answer: TokenStream) -> (TokenStream, TokenStream) {
    (quote!(#member: inner,), answer)
}

/// Generates a method of the trait, or nothing if every case returns the default.
fn method(
    model: &Model,
    name: &str,
    answer: TokenStream,
    own: impl Fn(usize, &Row) -> Option<(TokenStream, TokenStream)>,
) -> TokenStream {
    let needed = model
        .cases
        .iter()
        .enumerate()
        .any(|(i, case)| match &case.shape {
            Shape::Own(row) => own(i, row).is_some(),
            Shape::Held { .. } => true,
        });
    if !needed {
        return TokenStream::new();
    }
    let arms = arms(model, name, own);
    let name = format_ident!("{}", name);
    quote! {
        fn #name(&self) -> #answer {
            match self { #arms }
        }
    }
}

fn arms(
    model: &Model,
    method: &str,
    own: impl Fn(usize, &Row) -> Option<(TokenStream, TokenStream)>,
) -> TokenStream {
    let method = format_ident!("{}", method);
    let arms = model.cases.iter().enumerate().map(|(i, case)| {
        let path = &case.path;
        match &case.shape {
            Shape::Own(row) => {
                let (fields, answer) = own(i, row)
                    .unwrap_or_else(|| (TokenStream::new(), quote!(::core::option::Option::None)));
                quote!(#path { #fields .. } => #answer,)
            }
            Shape::Held { member, .. } => {
                quote!(#path { #member: inner, .. } => ::doyen::__private::Problem::#method(inner),)
            }
        }
    });
    quote!(#(#arms)*)
}

fn from(name: &Ident, case: &Case) -> TokenStream {
    let Shape::Held { member, kind } = &case.shape else {
        return TokenStream::new();
    };
    let path = &case.path;
    quote! {
        #[automatically_derived]
        impl ::core::convert::From<#kind> for #name {
            fn from(inner: #kind) -> Self {
                #path { #member: inner }
            }
        }
    }
}
