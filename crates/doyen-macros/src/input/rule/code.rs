//! Generates the check and the schema of a rule.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::{Kind, LIMITS, Rule};
use crate::regex::Regex;
use crate::text::ungrouped;

impl Rule {
    /// Generates the check of `__value: &T` at `__at`.
    pub(crate) fn check(&self) -> TokenStream {
        self.reworded(self.own_check())
    }

    /// Generates the replacement of the message after a check, if the rule has one of its own.
    fn reworded(&self, check: TokenStream) -> TokenStream {
        let Some(message) = &self.message else {
            return check;
        };
        quote! {
            {
                let __first = __out.len();
                #check
                __out.reword(__first, #message);
            }
        }
    }

    fn own_check(&self) -> TokenStream {
        // The error for a missing trait then points at the rule. Names are those of the macro, even
        // if a `macro_rules!` passes the rule on.
        let span = self.span.resolved_at(Span::call_site());
        match &self.kind {
            Kind::Each(rules) => {
                let checks = rules.iter().map(Rule::check);
                quote_spanned! {span=>
                    ::doyen::__private::rule::each(__value, __at, __out, |__value, __at, __out| { #(#checks)* });
                }
            }
            Kind::Custom(path) => quote_spanned! {span=>
                {
                    let __result: ::core::result::Result<(), ::doyen::__private::rule::Broken> = #path(__value);
                    if let ::core::result::Result::Err(__broken) = __result {
                        __broken.record(__at, __out);
                    }
                }
            },
            Kind::Async(_) => TokenStream::new(),
            _ => {
                let rule = self.rule();
                quote_spanned!(span=> (#rule).check(__value, __at, __out);)
            }
        }
    }

    /// Generates the code that replaces the range of the type in failures, for ranges. `depth` is
    /// the number of `each` around this rule.
    pub(crate) fn narrow(&self, depth: usize) -> TokenStream {
        match &self.kind {
            Kind::Each(rules) => rules.iter().map(|rule| rule.narrow(depth + 1)).collect(),
            Kind::Range { .. } => {
                let rule = self.rule();
                quote!((#rule).narrow(__at, __before, #depth, __out);)
            }
            _ => TokenStream::new(),
        }
    }

    /// Generates the code that adds the rule to `__schema: &mut Schema`.
    pub(crate) fn describe(&self) -> TokenStream {
        match &self.kind {
            Kind::Each(rules) => {
                let all = rules.iter().map(Rule::describe);
                quote!(::doyen::__private::rule::each_schema(__schema, |__schema| { #(#all)* });)
            }
            Kind::Custom(_) | Kind::Async(_) => TokenStream::new(),
            _ => {
                let rule = self.rule();
                quote!((#rule).describe(__schema);)
            }
        }
    }

    /// Generates the asynchronous check of `__value: &T`, which uses `__cx`.
    pub(crate) fn verify(&self) -> Option<TokenStream> {
        let Kind::Async(path) = &self.kind else {
            return None;
        };
        Some(self.reworded(quote_spanned! {self.span.resolved_at(Span::call_site())=>
            {
                let __result: ::core::result::Result<(), ::doyen::__private::rule::Broken> = #path(__value, __cx).await;
                if let ::core::result::Result::Err(__broken) = __result {
                    __broken.record(__at, __out);
                }
            }
        }))
    }

    /// Returns true for rules that call a custom function.
    pub(crate) fn calls(&self) -> bool {
        matches!(self.kind, Kind::Custom(_) | Kind::Async(_))
    }

    /// Generates the value of the rule.
    fn rule(&self) -> TokenStream {
        match &self.kind {
            Kind::Length { min, max } => {
                let (min, max) = (optional(min.as_ref()), optional(max.as_ref()));
                quote!(::doyen::__private::rule::Length { min: #min, max: #max })
            }
            Kind::Items { min, max } => {
                let (min, max) = (optional(min.as_ref()), optional(max.as_ref()));
                quote!(::doyen::__private::rule::Items { min: #min, max: #max })
            }
            Kind::Range { limits } => {
                let sets = LIMITS.iter().map(|name| {
                    let field = syn::Ident::new(name, Span::call_site());
                    let value = match limits.iter().find(|(known, _)| known == name) {
                        Some((_, value)) => {
                            let value = number(value);
                            quote!(::core::option::Option::Some(#value))
                        }
                        None => optional(None),
                    };
                    quote!(#field: #value)
                });
                quote!(::doyen::__private::rule::Range { #(#sets),* })
            }
            Kind::MultipleOf(value) => quote!(::doyen::__private::rule::MultipleOf(#value)),
            Kind::Pattern(Regex { shown, run, no_nul }) => quote! {
                {
                    static __PATTERN: ::doyen::__private::rule::Pattern = ::doyen::__private::rule::Pattern::new(#shown, #run, #no_nul);
                    &__PATTERN
                }
            },
            Kind::Email => quote!(::doyen::__private::rule::Email),
            Kind::Url => quote!(::doyen::__private::rule::Url),
            Kind::DisplayName => quote!(::doyen::__private::rule::DisplayName),
            Kind::NotBlank => quote!(::doyen::__private::rule::NotBlank),
            Kind::Unique => quote!(::doyen::__private::rule::Unique),
            Kind::Each(_) | Kind::Custom(_) | Kind::Async(_) => TokenStream::new(),
        }
    }
}

fn optional(value: Option<&Expr>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// Generates a limit as a `Num`. A literal needs an explicit type.
fn number(value: &Expr) -> TokenStream {
    let bare = match ungrouped(value) {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => expr,
        other => other,
    };
    match ungrouped(bare) {
        Expr::Lit(ExprLit {
            lit: Lit::Int(int), ..
        }) if int.suffix().is_empty() => quote!(::doyen::__private::rule::Num::Int(#value)),
        Expr::Lit(ExprLit {
            lit: Lit::Float(float),
            ..
        }) if float.suffix().is_empty() => {
            quote!(::doyen::__private::rule::Num::Float(#value))
        }
        _ => {
            let value = value.to_token_stream();
            quote!(<::doyen::__private::rule::Num as ::core::convert::From<_>>::from(#value))
        }
    }
}
