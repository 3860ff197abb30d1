//! Questions about the syntax of a type.

use syn::{GenericArgument, PathArguments, Type};

use crate::text::ungrouped_type;

/// Returns the name and the argument of a type with one argument, such as `Option<T>`.
pub(crate) fn generic(ty: &Type) -> Option<(String, &Type)> {
    let Type::Path(path) = ungrouped_type(ty) else {
        return None;
    };
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

/// Returns true for `Option<..>`.
pub(crate) fn is_option(ty: &Type) -> bool {
    generic(ty).is_some_and(|(name, _)| name == "Option")
}
