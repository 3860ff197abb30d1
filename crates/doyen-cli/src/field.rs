//! Fields: `sku:text`, `status:enum(open,paid)`, `buyer:ref(users)`, `notes:text?`.

use std::fmt;
use std::str::FromStr;

use crate::names;

/// A field of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) is_optional: bool,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    U32,
    I64,
    F64,
    Bool,
    Timestamp,
    /// The variants, in snake case.
    Enum(Vec<String>),
    /// The domain that has the row, in the plural.
    Ref(String),
    /// A Rust type that the generator does not know, in a domain that the user has edited.
    Other(String),
}

/// Names that every item has.
const TAKEN: [&str; 5] = ["id", "created_at", "updated_at", "version", "links"];

const TYPES: &str = "text, u32, i64, f64, bool, timestamp, enum(a,b), ref(domain)";

impl Field {
    /// True for a reference to users.
    pub(crate) fn is_user(&self) -> bool {
        self.kind == Kind::Ref("users".to_owned())
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, kind)) = text.split_once(':') else {
            return Err(format!(
                "it has no type: write `{text}:text`; there are {TYPES}"
            ));
        };
        names::check(name)?;
        if TAKEN.contains(&name) {
            return Err(format!("every item has `{name}` already"));
        }
        let (kind, is_optional) = match kind.strip_suffix('?') {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        Ok(Self {
            name: name.to_owned(),
            kind: kind.parse()?,
            is_optional,
        })
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inside = |word: &str| {
            let rest = text.strip_prefix(word)?.strip_prefix('(')?;
            rest.strip_suffix(')')
        };
        if let Some(variants) = inside("enum") {
            return variants_of(variants).map(Self::Enum);
        }
        if let Some(domain) = inside("ref") {
            names::check_letters(domain)?;
            if names::singular(domain).is_none() {
                return Err(format!(
                    "`{domain}` is no plural: name the domain, such as `ref(users)`"
                ));
            }
            return Ok(Self::Ref(domain.to_owned()));
        }
        match text {
            "text" => Ok(Self::Text),
            "u32" => Ok(Self::U32),
            "i64" => Ok(Self::I64),
            "f64" => Ok(Self::F64),
            "bool" => Ok(Self::Bool),
            "timestamp" => Ok(Self::Timestamp),
            _ => Err(format!("there is no type `{text}`; there are {TYPES}")),
        }
    }
}

fn variants_of(text: &str) -> Result<Vec<String>, String> {
    let variants: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    for (at, variant) in variants.iter().enumerate() {
        names::check_letters(variant)?;
        if variant == "self" {
            return Err("`self` is a reserved word of Rust: choose another variant".to_owned());
        }
        if variants[..at].contains(variant) {
            return Err(format!("the variant `{variant}` is there twice"));
        }
    }
    if variants.len() < 2 {
        return Err("an enum has at least two variants: `enum(open,paid)`".to_owned());
    }
    Ok(variants)
}

/// As it is written on the command line.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, .. } = self;
        let optional = if self.is_optional { "?" } else { "" };
        match kind {
            Kind::Text => write!(f, "{name}:text{optional}"),
            Kind::U32 => write!(f, "{name}:u32{optional}"),
            Kind::I64 => write!(f, "{name}:i64{optional}"),
            Kind::F64 => write!(f, "{name}:f64{optional}"),
            Kind::Bool => write!(f, "{name}:bool{optional}"),
            Kind::Timestamp => write!(f, "{name}:timestamp{optional}"),
            Kind::Enum(variants) => write!(f, "{name}:enum({}){optional}", variants.join(",")),
            Kind::Ref(domain) => write!(f, "{name}:ref({domain}){optional}"),
            Kind::Other(rust) => write!(f, "{name}:{rust}{optional}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_was_written() {
        for text in [
            "sku:text",
            "quantity:u32?",
            "status:enum(open,paid)",
            "buyer:ref(users)?",
        ] {
            assert_eq!(text.parse::<Field>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (text, part) in [
            ("sku", "it has no type: write `sku:text`"),
            ("sku:string", "there is no type `string`; there are text"),
            ("Sku:text", "lower-case"),
            ("id:text", "every item has `id` already"),
            ("order:u32", "`order` is a reserved word of SQL"),
            ("status:enum(open)", "at least two variants"),
            ("status:enum(open,open)", "`open` is there twice"),
            ("status:enum(open,in progress)", "`in progress` is no name"),
            ("buyer:ref(user)", "`user` is no plural"),
            ("product:ref(product)", "`product` is no plural"),
        ] {
            let error = text.parse::<Field>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
