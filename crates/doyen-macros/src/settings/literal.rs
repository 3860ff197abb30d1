//! Values in attributes, as the text a variable would have.

use syn::{Expr, ExprArray, ExprUnary, Lit, UnOp};

/// `8000`, `-5`, `1.5`, `true`, `"30d"` or `["a", "b"]` as text.
pub(super) fn text(value: &Expr) -> syn::Result<String> {
    let message = "write the value itself, for it is shown in the table of settings: a number, `true`, a text or a list of texts";
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
                    "an item with a comma can not be a default: give it in a file",
                )),
                text => Ok(text),
            });
            Ok(items.collect::<syn::Result<Vec<_>>>()?.join(","))
        }
        _ => Err(syn::Error::new_spanned(value, message)),
    }
}
