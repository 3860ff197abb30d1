//! One field: its words, and the code that reads and describes it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::visit::Visit;
use syn::{Expr, ExprLit, GenericArgument, Ident, Lit, Path, PathArguments, Type};

use super::args::{self};
use super::case::Case;
use super::rule::{self, Rule};
use crate::text::{Errors, docs, unknown};

/// One field of an object, or the inside of a newtype.
pub(crate) struct Field {
    pub(crate) ident: Option<Ident>,
    pub(crate) ty: Type,
    /// The name on the wire.
    pub(crate) wire: String,
    pub(crate) docs: String,
    pub(crate) deprecated: bool,
    pub(crate) default: Option<Default>,
    pub(crate) examples: Vec<Expr>,
    pub(crate) with: Option<Path>,
    pub(crate) recursive: bool,
    pub(crate) rules: Vec<Rule>,
}

/// What a missing field becomes.
pub(crate) enum Default {
    /// `Default::default()`.
    Plain,
    /// An expression.
    Value(Box<Expr>),
}

const WORDS: [&str; 6] = [
    "rename",
    "default",
    "deprecated",
    "example",
    "with",
    "recursive",
];

impl Field {
    /// Reads a field.
    pub(crate) fn read(field: &syn::Field, case: Case, errors: &mut Errors) -> Self {
        let mut found = Self {
            ident: field.ident.clone(),
            ty: field.ty.clone(),
            wire: field
                .ident
                .as_ref()
                .map(|ident| case.apply(&ident.unraw().to_string()))
                .unwrap_or_default(),
            docs: docs(&field.attrs),
            deprecated: field
                .attrs
                .iter()
                .any(|attribute| attribute.path().is_ident("deprecated")),
            default: None,
            examples: Vec::new(),
            with: None,
            recursive: false,
            rules: rule::read(&field.attrs, errors),
        };
        let args = args::all(&field.attrs, "input", errors);
        for arg in &args {
            let result = found.word(arg);
            errors.keep(result);
        }
        found
    }

    fn word(&mut self, arg: &args::Arg) -> syn::Result<()> {
        match arg.name().as_str() {
            "rename" => self.wire = arg.text("rename = \"name\"")?.value(),
            "default" => {
                self.default = Some(match &arg.body {
                    args::Body::Nothing => Default::Plain,
                    _ => Default::Value(Box::new(arg.value("default = 20")?.clone())),
                });
            }
            "deprecated" => {
                arg.plain()?;
                self.deprecated = true;
            }
            "example" => self.examples.push(arg.value("example = \"text\"")?.clone()),
            "with" => self.with = Some(arg.path("with = module")?),
            "recursive" => {
                arg.plain()?;
                self.recursive = true;
            }
            "flatten" => {
                return Err(syn::Error::new(
                    arg.word.span(),
                    "there is no `flatten`: write the fields out, or nest the struct",
                ));
            }
            "skip" => {
                return Err(syn::Error::new(
                    arg.word.span(),
                    "there is no `skip`: leave the field out of the struct that is read",
                ));
            }
            "alias" => {
                return Err(syn::Error::new(
                    arg.word.span(),
                    "there is no `alias`: the schema could not name it; add a second field",
                ));
            }
            other => return Err(syn::Error::new(arg.word.span(), unknown(other, &WORDS))),
        }
        Ok(())
    }

    /// An expression: reads the field from `__given: Option<Value>` at `__at`, with its rules. Gives an `Option<T>`.
    pub(crate) fn parse(&self) -> TokenStream {
        let ty = &self.ty;
        let value = self.value();
        let checks = self.checks();
        if checks.is_empty() {
            return value;
        }
        quote! {
            {
                let __read: ::core::option::Option<#ty> = #value;
                if let ::core::option::Option::Some(__value) = &__read {
                    #checks
                }
                __read
            }
        }
    }

    fn value(&self) -> TokenStream {
        let ty = &self.ty;
        let parse = match &self.with {
            Some(module) => quote!(#module::parse(__value, __at, __out)),
            None => quote!(<#ty as ::doyen::__private::Input>::parse(__value, __at, __out)),
        };
        let absent = match (self.default_value(), &self.with) {
            (Some(default), _) => quote!(::core::option::Option::Some(#default)),
            (None, Some(_)) => quote!(::doyen::__private::input::parts::required(__at, __out)),
            (None, None) => {
                quote!(<#ty as ::doyen::__private::Input>::absent(__at, __out))
            }
        };
        quote! {
            match __given {
                ::core::option::Option::Some(__value) => #parse,
                ::core::option::Option::None => #absent,
            }
        }
    }

    /// Checks `__value: &T`.
    pub(crate) fn checks(&self) -> TokenStream {
        self.rules
            .iter()
            .map(|rule| self.held(rule, rule.check()))
            .collect()
    }

    /// A function of the user gets the value inside an `Option` or `Patch`; our own rules look inside by themselves.
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

    /// The code that checks the asynchronous rules of the field, when there can be any. `__this` is a reference to the field.
    pub(crate) fn verify(&self) -> Option<TokenStream> {
        let rules: TokenStream = self
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

    /// True when the type may have asynchronous rules of its own: it is none of the plain types.
    pub(crate) fn can_be_async(&self) -> bool {
        self.with.is_none() && !plain(&self.ty)
    }

    /// True when a rule of the field itself is asynchronous.
    pub(crate) fn is_async(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| matches!(rule.kind, rule::Kind::Async(_)))
    }

    /// True when the type names this type, so that a constant of it need not ask the field.
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

    fn default_value(&self) -> Option<TokenStream> {
        let ty = &self.ty;
        Some(match self.default.as_ref()? {
            Default::Plain => quote!(<#ty as ::core::default::Default>::default()),
            Default::Value(expr) => match &**expr {
                text @ Expr::Lit(ExprLit {
                    lit: Lit::Str(_), ..
                }) => quote!(<#ty as ::core::convert::From<&str>>::from(#text)),
                other => quote!(#other),
            },
        })
    }

    /// An expression: the schema of the field, from `__all`.
    pub(crate) fn schema(&self) -> TokenStream {
        let ty = &self.ty;
        let schema = match &self.with {
            Some(module) => quote!(#module::schema(__all)),
            None => quote!(<#ty as ::doyen::__private::Input>::schema(__all)),
        };
        let rules: TokenStream = self.rules.iter().map(Rule::describe).collect();
        let default = self.default_value().map(|value| {
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

    /// An expression: the field as an `input::Field`.
    pub(crate) fn describe(&self) -> TokenStream {
        let (wire, docs, deprecated, ty) = (&self.wire, &self.docs, self.deprecated, &self.ty);
        let schema = self.schema();
        let required = match (&self.default, &self.with) {
            (Some(_), _) => quote!(false),
            (None, Some(_)) => quote!(true),
            (None, None) => quote!(<#ty as ::doyen::__private::Input>::REQUIRED),
        };
        quote!(::doyen::__private::input::parts::described_field(#wire, #required, #schema, #docs, #deprecated))
    }
}

/// The `Option` and `Patch` around a type, from outside to inside.
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

/// The name and the argument of a type with one argument.
pub(crate) fn generic(ty: &Type) -> Option<(String, &Type)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inside) if arguments.args.len() == 1 => {
            Some((last.ident.to_string(), inside))
        }
        _ => None,
    }
}

/// True for types that are known to have no asynchronous rules.
fn plain(ty: &Type) -> bool {
    const PLAIN: [&str; 17] = [
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

/// The name of the local variable of a field.
pub(crate) fn local(place: usize) -> Ident {
    format_ident!("__field_{place}")
}
