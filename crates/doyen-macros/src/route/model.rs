//! The model of a route, checked.

use syn::{Error, Expr, FnArg, Ident, ItemFn, LitStr, Result, Type};

use super::parse::{POLICIES, Policy, REPEATABLE, RouteArguments, SOCKET_POLICIES};
use super::signature::Signature;
use crate::text::{Errors, ungrouped_type};

pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: LitStr,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) policies: Vec<(Ident, Option<Expr>)>,
    pub(super) signature: Signature,
}

impl Route {
    pub(super) fn new(
        method: &'static str,
        arguments: RouteArguments,
        function: &mut ItemFn,
    ) -> Result<Self> {
        let mut errors = Errors::new();
        check_path(&arguments.path, &mut errors);
        let names = names(&arguments.path.value());
        let policies = policies(arguments.policies, POLICIES, &arguments.path, &mut errors);
        let signature = Signature::read(function, Some(&names), &mut errors);
        for name in &names {
            // An extractor of the application may read it; the check at the start knows.
            let is_read = signature.reads_path(name) || signature.has_unknown();
            if !is_read && !takes_path(function) {
                errors.push(Error::new_spanned(
                    &arguments.path,
                    format!("`{}` has no parameter for `{{{name}}}` in the path: add `{name}: ..` with the type to parse", function.sig.ident),
                ));
            }
        }
        errors.finish(())?;
        let (summary, description) = docs(function);
        Ok(Self {
            method,
            path: arguments.path,
            summary,
            description,
            policies,
            signature,
        })
    }
}

impl Route {
    /// The route of a function that handles the messages of a WebSocket.
    pub(super) fn socket(arguments: RouteArguments, function: &ItemFn) -> Result<Self> {
        let mut errors = Errors::new();
        check_path(&arguments.path, &mut errors);
        if let Some(name) = names(&arguments.path.value()).first() {
            errors.push(Error::new_spanned(
                &arguments.path,
                format!("a socket has no path parameters: send `{name}` in a message"),
            ));
        }
        if function.sig.inputs.len() < 2 {
            errors.push(Error::new_spanned(
                &function.sig.ident,
                "a socket handles messages: write `connection: Connection<Sent>, message: Received` as the first parameters",
            ));
        }
        let all = SOCKET_POLICIES;
        let policies = policies(arguments.policies, all, &arguments.path, &mut errors);
        errors.finish(())?;
        let (summary, description) = docs(function);
        Ok(Self {
            method: "GET",
            path: arguments.path,
            summary,
            description,
            policies,
            signature: Signature {
                parameters: Vec::new(),
                groups: Vec::new(),
                definitions: proc_macro2::TokenStream::new(),
            },
        })
    }
}

fn check_path(path: &LitStr, errors: &mut Errors) {
    let text = path.value();
    if !text.starts_with('/') {
        errors.push(Error::new_spanned(
            path,
            format!("a path starts with `/`: write \"/{text}\""),
        ));
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
    all: &[(&str, bool)],
    path: &LitStr,
    errors: &mut Errors,
) -> Vec<(Ident, Option<Expr>)> {
    let mut known: Vec<(Ident, Option<Expr>)> = Vec::new();
    let said = given.iter().any(|policy| policy.name == "allow");
    for Policy { name, value } in given {
        match (all.iter().find(|(policy, _)| name == policy), &value) {
            (None, _) => {
                let all = all
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
            &mut syn::parse_str(function).unwrap(),
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
            .signature
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
