//! Values in attributes, in the form that an environment variable has.

use syn::{Expr, ExprArray, ExprUnary, Lit, UnOp};

/// Returns `8000`, `-5`, `1.5`, `true`, `"30d"` or `["a", "b"]` as a string.
pub(super) fn text(value: &Expr) -> syn::Result<String> {
    let message = "write a literal, which the table of settings shows: a number, `true`, a string or a list of strings";
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Ok(text.value()),
            Lit::Int(number) => Ok(number.base10_digits().to_owned()),
            Lit::Float(number) => Ok(number.base10_digits().to_owned()),
            Lit::Bool(truth) => Ok(truth.value.to_string()),
            _ => Err(syn::Error::new_spanned(value, message)),
        },
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => Ok(format!("-{}", text(expr)?)),
        Expr::Array(ExprArray { elems, .. }) => {
            let items = elems.iter().map(|item| match text(item)? {
                text if text.contains(',') => Err(syn::Error::new_spanned(
                    item,
                    "an item with a comma cannot be a default: set it in a file",
                )),
                text => Ok(text),
            });
            Ok(items.collect::<syn::Result<Vec<_>>>()?.join(","))
        }
        _ => Err(syn::Error::new_spanned(value, message)),
    }
}
