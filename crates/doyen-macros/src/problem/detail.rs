//! `detail = "Only {left} of {sku} are left."`: a format string over the fields of the variant.

use quote::format_ident;
use syn::{Fields, Ident, LitStr, Member};

use super::model::members;
use crate::text::either;

/// A format string whose arguments are renamed, so that the fields of tuples work too.
pub(super) struct Detail {
    pub(super) format: LitStr,
    /// The fields it uses, and their names in the format string.
    pub(super) fields: Vec<(Member, Ident)>,
}

pub(super) fn read(variant: &Ident, format: &LitStr, fields: &Fields) -> syn::Result<Detail> {
    let known: Vec<(Member, String)> = members(fields)
        .map(|(member, _)| (member.clone(), name(&member)))
        .collect();
    let mut used: Vec<(Member, Ident)> = Vec::new();
    let mut out = String::new();
    let text = format.value();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        if tail.starts_with("{{") || tail.starts_with("}}") {
            out.push_str(&tail[..2]);
            rest = &tail[2..];
            continue;
        }
        let Some(end) = tail.find('}').filter(|_| tail.starts_with('{')) else {
            return Err(syn::Error::new(
                format.span(),
                "an unmatched brace: write `{field}`, or `{{` and `}}` for literal braces",
            ));
        };
        let inside = &tail[1..end];
        let (field, style) = inside.split_at(inside.find(':').unwrap_or(inside.len()));
        let field = field.trim();
        let Some((member, _)) = known.iter().find(|(_, known)| known == field) else {
            return Err(syn::Error::new(
                format.span(),
                no_field(variant, field, &known),
            ));
        };
        let argument = format_ident!("field_{}", field);
        out.push_str(&format!("{{{argument}{style}}}"));
        if !used.iter().any(|(_, known)| *known == argument) {
            used.push((member.clone(), argument));
        }
        rest = &tail[end + 1..];
    }
    out.push_str(rest);
    Ok(Detail {
        format: LitStr::new(&out, format.span()),
        fields: used,
    })
}

fn name(member: &Member) -> String {
    match member {
        Member::Named(name) => syn::ext::IdentExt::unraw(name).to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

fn no_field(variant: &Ident, field: &str, known: &[(Member, String)]) -> String {
    let names: Vec<&String> = known.iter().map(|(_, name)| name).collect();
    match (field.is_empty(), names.is_empty()) {
        (_, true) => {
            format!("`{variant}` has no fields: remove `{{{field}}}`")
        }
        (true, false) => format!(
            "`{{}}` names no field of `{variant}`: write `{{{}}}`",
            names[0]
        ),
        (false, false) => format!(
            "`{variant}` has no field `{field}`: write {}",
            either(&names)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn format(text: &str, fields: Fields) -> Result<String, String> {
        let format = LitStr::new(text, proc_macro2::Span::call_site());
        read(&parse_quote!(Short), &format, &fields)
            .map(|detail| detail.format.value())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn fields_of_both_shapes_are_shown() {
        let named = Fields::Named(parse_quote!({ left: u32, r#type: String }));
        assert_eq!(
            format("{{x}} {left:>3} {type:?}", named).unwrap(),
            "{{x}} {field_left:>3} {field_type:?}"
        );
        let tuple = Fields::Unnamed(parse_quote!((u32, String)));
        assert_eq!(
            format("{0} {1} {0}", tuple).unwrap(),
            "{field_0} {field_1} {field_0}"
        );
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let tuple = || Fields::Unnamed(parse_quote!((u32)));
        assert_eq!(
            format("{}", tuple()).unwrap_err(),
            "`{}` names no field of `Short`: write `{0}`"
        );
        assert_eq!(
            format("{a}", Fields::Unit).unwrap_err(),
            "`Short` has no fields: remove `{a}`"
        );
        let message = "an unmatched brace: write `{field}`, or `{{` and `}}` for literal braces";
        assert_eq!(format("100 }", tuple()).unwrap_err(), message);
        assert_eq!(format("{0", tuple()).unwrap_err(), message);
    }
}
