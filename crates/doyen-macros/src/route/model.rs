//! The model of a route, checked.

use syn::{Error, Expr, FnArg, Ident, ItemFn, LitStr, Pat, Result, Type};

use super::parse::{POLICIES, Policy, REPEATABLE, RouteArguments};
use crate::text::ungrouped_type;

pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: LitStr,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) policies: Vec<(Ident, Option<Expr>)>,
    pub(super) parameters: Vec<Parameter>,
}

/// A parameter of the handler.
pub(super) struct Parameter {
    /// The type as written.
    pub(super) kind: Type,
    /// The path parameter that it is bound to.
    pub(super) bound: Option<String>,
    /// How it is extracted, if the name of its type tells.
    pub(super) way: Way,
}

/// How a parameter is extracted. Known extractors are recognized by name, so that compile errors
/// mention the type inside them; for all others, type inference decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Parts,
    Body,
    Unknown,
}

impl Way {
    fn of(kind: &Type) -> Self {
        let Type::Path(path) = ungrouped_type(kind) else {
            return Way::Unknown;
        };
        let Some(last) = path.path.segments.last() else {
            return Way::Unknown;
        };
        if !matches!(last.arguments, syn::PathArguments::AngleBracketed(_)) {
            return Way::Unknown;
        }
        match last.ident.to_string().as_str() {
            "Query" | "Header" | "Cookie" | "Path" => Way::Parts,
            "Json" | "MergePatch" | "Form" => Way::Body,
            _ => Way::Unknown,
        }
    }
}

impl Route {
    pub(super) fn new(
        method: &'static str,
        arguments: RouteArguments,
        function: &ItemFn,
    ) -> Result<Self> {
        let mut errors: Vec<Error> = Vec::new();
        let path = arguments.path.value();
        if !path.starts_with('/') {
            errors.push(Error::new_spanned(
                &arguments.path,
                format!("a path starts with `/`: write \"/{path}\""),
            ));
        }
        let names = names(&path);
        let policies = policies(arguments.policies, &arguments.path, &mut errors);
        let parameters = parameters(function, &names);
        for name in &names {
            if !parameters
                .iter()
                .any(|parameter| parameter.bound.as_ref() == Some(name))
                && !takes_path(function)
            {
                errors.push(Error::new_spanned(
                    &arguments.path,
                    format!("`{}` has no parameter for `{{{name}}}` in the path: add `{name}: ..` with the type to parse", function.sig.ident),
                ));
            }
        }
        for early in parameters.iter().rev().skip(1) {
            if early.way == Way::Body {
                errors.push(Error::new_spanned(
                    &early.kind,
                    "the body is read last: move this parameter to the end",
                ));
            }
        }
        let mut errors = errors.into_iter();
        if let Some(mut first) = errors.next() {
            errors.for_each(|error| first.combine(error));
            return Err(first);
        }
        let (summary, description) = docs(function);
        Ok(Self {
            method,
            path: arguments.path,
            summary,
            description,
            policies,
            parameters,
        })
    }
}

/// Returns the parameter names in a path template.
fn names(path: &str) -> Vec<String> {
    let inside = |segment: &str| {
        Some(
            segment
                .strip_prefix('{')?
                .strip_suffix('}')?
                .trim_start_matches('*')
                .to_owned(),
        )
    };
    path.split('/').filter_map(inside).collect()
}

fn policies(
    given: Vec<Policy>,
    path: &LitStr,
    errors: &mut Vec<Error>,
) -> Vec<(Ident, Option<Expr>)> {
    let mut known: Vec<(Ident, Option<Expr>)> = Vec::new();
    let said = given.iter().any(|policy| policy.name == "allow");
    for Policy { name, value } in given {
        match (POLICIES.iter().find(|(policy, _)| name == policy), &value) {
            (None, _) => {
                let all = POLICIES
                    .iter()
                    .map(|(policy, _)| *policy)
                    .collect::<Vec<_>>()
                    .join("`, `");
                errors.push(Error::new(
                    name.span(),
                    format!("unknown policy `{name}`: the policies are `{all}`"),
                ));
            }
            (Some((_, true)), None) => errors.push(Error::new(
                name.span(),
                format!("`{name}` needs a value: write `{name} = ..`"),
            )),
            (Some((_, false)), Some(value)) => errors.push(Error::new_spanned(
                value,
                format!("`{name}` takes no value: write `{name}` alone"),
            )),
            (Some(("allow", _)), Some(Expr::Lit(text))) => errors.push(Error::new_spanned(
                text,
                "`allow` is not a string: write `allow = anyone`, `allow = signed_in` or a scope such as `allow = Scope::OrdersRead`",
            )),
            (Some(("limit", _)), Some(Expr::Lit(text))) => errors.push(Error::new_spanned(
                text,
                "`limit` is not a string: write `limit = per_user(20, MINUTE)`, `limit = policy(\"search\")` or `limit = unlimited(\"why\")`",
            )),
            _ if !REPEATABLE.contains(&name.to_string().as_str())
                && known.iter().any(|(before, _)| *before == name) =>
            {
                errors.push(Error::new(name.span(), format!("`{name}` is given twice: keep one")))
            }
            _ => known.push((name, value)),
        }
    }
    if !said {
        errors.push(Error::new_spanned(
            path,
            "this route needs an access rule: `allow = anyone`, `allow = signed_in`, or a scope such as `allow = Scope::OrdersRead`",
        ));
    }
    known
}

fn parameters(function: &ItemFn, names: &[String]) -> Vec<Parameter> {
    let typed = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed
        .map(|typed| {
            let own = match &*typed.pat {
                Pat::Ident(pattern) => Some(pattern.ident.to_string()),
                _ => None,
            };
            // `_id` binds to `{id}` too: a handler may not need its path parameter.
            let own = own.map(|name| {
                if names.contains(&name) {
                    name
                } else {
                    name.trim_start_matches('_').to_owned()
                }
            });
            let bound = own.filter(|name| names.contains(name));
            Parameter {
                kind: (*typed.ty).clone(),
                way: match bound {
                    Some(_) => Way::Parts,
                    None => Way::of(&typed.ty),
                },
                bound,
            }
        })
        .collect()
}

/// Returns true if the handler reads all path parameters as one struct: `Path<..>`.
fn takes_path(function: &ItemFn) -> bool {
    function.sig.inputs.iter().any(|input| match input {
        FnArg::Typed(typed) => match ungrouped_type(&typed.ty) {
            Type::Path(path) => path
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Path"),
            _ => false,
        },
        FnArg::Receiver(_) => false,
    })
}

/// Splits the doc comment into its first paragraph, on one line, and the rest.
fn docs(function: &ItemFn) -> (String, String) {
    let lines = function
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("doc"))
        .filter_map(|attr| match &attr.meta {
            syn::Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    let lines: Vec<String> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect();
    let text = lines.join("\n");
    let (summary, description) = text.trim().split_once("\n\n").unwrap_or((text.trim(), ""));
    (
        summary.split_whitespace().collect::<Vec<_>>().join(" "),
        description.trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(arguments: &str, function: &str) -> Result<Route> {
        Route::new(
            "GET",
            syn::parse_str(arguments).unwrap(),
            &syn::parse_str(function).unwrap(),
        )
    }

    #[test]
    fn a_parameter_binds_by_its_name() {
        let route = model(
            r#""/{id}", allow = signed_in"#,
            "async fn show(me: User, id: OrderId) -> NoContent {}",
        )
        .unwrap();
        let bound: Vec<_> = route
            .parameters
            .iter()
            .map(|parameter| parameter.bound.as_deref())
            .collect();
        assert_eq!(bound, [None, Some("id")]);
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let error = model(r#""{id}", limt = 3"#, "async fn show() -> NoContent {}")
            .err()
            .unwrap();
        let all: Vec<String> = error.into_iter().map(|error| error.to_string()).collect();
        assert_eq!(all.len(), 4, "{all:#?}");
    }

    #[test]
    fn the_doc_comment_is_summary_and_description() {
        let route = model(
            r#""/", allow = anyone"#,
            "/// List them,\n/// newest first.\n///\n/// Slowly.\nasync fn list() -> NoContent {}",
        )
        .unwrap();
        assert_eq!(
            (route.summary.as_str(), route.description.as_str()),
            ("List them, newest first.", "Slowly.")
        );
    }
}
