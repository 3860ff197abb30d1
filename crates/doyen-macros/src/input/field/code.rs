//! Generates the code that reads, checks and describes a field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit::Visit;
use syn::{Expr, ExprLit, Ident, Lit, Type};

use super::{Default, Field};
use crate::input::rule::{Kind, Rule};
use crate::shape::generic;

impl Field {
    /// Generates the expression that reads the field from `__given: Option<Value>` at `__at` and
    /// checks its rules. It has the type `Option<T>`.
    pub(crate) fn parse(&self) -> TokenStream {
        let ty = &self.ty;
        let value = self.value();
        let checks = self.checks();
        if checks.is_empty() {
            return value;
        }
        let narrow = self.narrow();
        quote! {
            {
                let __before = __out.len();
                let __read: ::core::option::Option<#ty> = #value;
                match &__read {
                    ::core::option::Option::Some(__value) => { #checks }
                    ::core::option::Option::None => { #narrow }
                }
                __read
            }
        }
    }

    fn value(&self) -> TokenStream {
        let ty = &self.ty;
        let parse = match &self.details.with {
            Some(module) => quote!(#module::parse(__value, __at, __out)),
            None => quote!(<#ty as ::doyen::__private::Input>::parse(__value, __at, __out)),
        };
        // The default of a `Patch` is what null resets it to; an omitted one stays absent.
        let reset = self.patched().and_then(|inside| {
            let default = self.default_value(inside)?;
            Some(quote! {
                ::core::option::Option::Some(::doyen::__private::input::Value::Null) => {
                    ::core::option::Option::Some(<#ty as ::core::convert::From<#inside>>::from(#default))
                }
            })
        });
        let default = match reset {
            Some(_) => Some(quote!(<#ty as ::core::default::Default>::default())),
            None => self.default_value(ty),
        };
        let absent = match (default, &self.details.with) {
            (Some(default), _) => quote!(::core::option::Option::Some(#default)),
            (None, Some(_)) => quote!(::doyen::__private::input::parts::required(__at, __out)),
            (None, None) => {
                quote!(<#ty as ::doyen::__private::Input>::absent(__at, __out))
            }
        };
        let is_given = self.details.with.is_none().then(|| {
            let optional = self.details.default.is_some();
            quote!(if !::doyen::__private::input::parts::left_empty::<#ty>(&__value, #optional, __at, __out))
        });
        quote! {
            match __given {
                #reset
                ::core::option::Option::Some(__value) #is_given => #parse,
                _ => #absent,
            }
        }
    }

    /// Generates the checks of `__value: &T`.
    pub(crate) fn checks(&self) -> TokenStream {
        self.details
            .rules
            .iter()
            .map(|rule| self.held(rule, rule.check()))
            .collect()
    }

    /// Generates the code for a value that could not be parsed: a range of the field replaces that
    /// of its type.
    pub(crate) fn narrow(&self) -> TokenStream {
        let rules = self.details.rules.iter();
        rules.map(|rule| rule.narrow(0)).collect()
    }

    /// Unwraps `Option` and `Patch` for a custom function. Built-in rules unwrap them themselves.
    fn held(&self, rule: &Rule, code: TokenStream) -> TokenStream {
        if !rule.calls() {
            return code;
        }
        let mut code = code;
        for wrapper in wrappers(&self.ty).into_iter().rev() {
            let inside = if wrapper == "Option" {
                quote!(__value.as_ref())
            } else {
                quote!(__value.as_option())
            };
            code = quote!(if let ::core::option::Option::Some(__value) = #inside { #code });
        }
        code
    }

    /// Generates the checks of the asynchronous rules of the field, if there can be any.
    pub(crate) fn verify(&self) -> Option<TokenStream> {
        let rules: TokenStream = self
            .details
            .rules
            .iter()
            .filter_map(|rule| Some(self.held(rule, rule.verify()?)))
            .collect();
        let nested = self.can_be_async().then(|| {
            let ty = &self.ty;
            quote! {
                if <#ty as ::doyen::__private::Input>::ASYNC {
                    <#ty as ::doyen::__private::Input>::verify(__value, __cx, __at, __out).await;
                }
            }
        });
        if rules.is_empty() && nested.is_none() {
            return None;
        }
        Some(quote!(#nested #rules))
    }

    /// Returns true if the type can have asynchronous rules: it is not one of the plain types.
    pub(crate) fn can_be_async(&self) -> bool {
        self.details.with.is_none() && !plain(&self.ty)
    }

    /// Returns true if a rule of the field is asynchronous.
    pub(crate) fn is_async(&self) -> bool {
        self.details
            .rules
            .iter()
            .any(|rule| matches!(rule.kind, Kind::Async(_)))
    }

    /// Returns true if the type of the field mentions `owner`, whose constant then cannot depend on
    /// it.
    pub(crate) fn names(&self, owner: &Ident) -> bool {
        struct Names<'a>(&'a Ident, bool);
        impl<'ast> Visit<'ast> for Names<'_> {
            fn visit_ident(&mut self, ident: &'ast Ident) {
                self.1 |= ident == self.0 || ident == "Self";
            }
        }
        let mut names = Names(owner, false);
        names.visit_type(&self.ty);
        names.1
    }

    /// Returns the `T` of a `Patch<T>`.
    fn patched(&self) -> Option<&Type> {
        generic(&self.ty)
            .filter(|(name, _)| name == "Patch")
            .map(|(_, inside)| inside)
    }

    /// Generates the default as a value of this type.
    fn default_value(&self, ty: &Type) -> Option<TokenStream> {
        Some(match self.details.default.as_ref()? {
            Default::Plain => quote!(<#ty as ::core::default::Default>::default()),
            Default::Value(expr) => match &**expr {
                text @ Expr::Lit(ExprLit {
                    lit: Lit::Str(_), ..
                }) => quote!(<#ty as ::core::convert::From<&str>>::from(#text)),
                other => quote!(#other),
            },
        })
    }

    /// Generates the expression of the schema of the field, which uses `__all`.
    pub(crate) fn schema(&self) -> TokenStream {
        let ty = &self.ty;
        let schema = match &self.details.with {
            Some(module) => quote!(#module::schema(__all)),
            None => quote!(<#ty as ::doyen::__private::Input>::schema(__all)),
        };
        // Null is accepted, but an omitted field does not get the default.
        let resets = self.patched().is_some() && self.details.default.is_some();
        let schema = if resets {
            quote!((#schema).nullable())
        } else {
            schema
        };
        let rules: TokenStream = self.details.rules.iter().map(Rule::describe).collect();
        let default = self.default_value(ty).filter(|_| !resets).map(|value| {
            quote! {
                {
                    use ::doyen::__private::input::parts::{Unwritten as _, Written as _};
                    let __default: #ty = #value;
                    if let ::core::option::Option::Some(__json) = (&::doyen::__private::input::parts::Probe(&__default)).json() {
                        __schema.set("default", __json);
                    }
                }
            }
        });
        let examples = &self.examples;
        let examples = (!examples.is_empty()).then(|| quote!(__schema.set("examples", ::doyen::__private::serde_json::json!([#(#examples),*]));));
        if rules.is_empty() && default.is_none() && examples.is_none() {
            return schema;
        }
        quote! {
            {
                let mut __schema: ::doyen::__private::Schema = #schema;
                {
                    let __schema = &mut __schema;
                    #rules
                    #default
                    #examples
                }
                __schema
            }
        }
    }

    /// Generates the expression of the field as an `input::Field`.
    pub(crate) fn describe(&self) -> TokenStream {
        let (wire, docs, deprecated, ty) = (&self.wire, &self.docs, self.deprecated, &self.ty);
        let schema = self.schema();
        let required = match (&self.details.default, &self.details.with) {
            (Some(_), _) => quote!(false),
            (None, Some(_)) => quote!(true),
            (None, None) => quote!(<#ty as ::doyen::__private::Input>::REQUIRED),
        };
        let field = quote!(::doyen::__private::input::parts::described_field(#wire, #required, #schema, #docs, #deprecated));
        if self.details.hidden {
            quote!(::doyen::__private::input::parts::hidden(#field))
        } else {
            field
        }
    }
}

/// Returns the `Option` and `Patch` around a type, from outside to inside.
fn wrappers(ty: &Type) -> Vec<String> {
    let mut found = Vec::new();
    let mut ty = ty;
    while let Some((name, inside)) = generic(ty) {
        if name != "Option" && name != "Patch" {
            break;
        }
        found.push(name);
        ty = inside;
    }
    found
}

/// Returns true for types that have no asynchronous rules.
fn plain(ty: &Type) -> bool {
    const PLAIN: [&str; 23] = [
        "String",
        "bool",
        "char",
        "i8",
        "i16",
        "i32",
        "i64",
        "u8",
        "u16",
        "u32",
        "u64",
        "f64",
        "Uuid",
        "Timestamp",
        "NaiveDate",
        "NaiveDateTime",
        "NaiveTime",
        "IsoDuration",
        "Decimal",
        "isize",
        "usize",
        "Id",
        "Secret",
    ];
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else {
        return false;
    };
    if PLAIN.iter().any(|name| last.ident == name) {
        return true;
    }
    match generic(ty) {
        Some((name, inside)) => {
            ["Option", "Patch", "Vec", "Box"].contains(&name.as_str()) && plain(inside)
        }
        None => false,
    }
}
