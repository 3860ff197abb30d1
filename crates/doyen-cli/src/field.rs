//! Fields: `sku:text:unique`, `status:enum(open,paid)`, `buyer:ref(users)`, `notes:text?`.

use std::fmt;
use std::str::FromStr;

use crate::names;

/// A field of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) is_optional: bool,
    /// True if no two rows have the same value.
    pub(crate) is_unique: bool,
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
    Date,
    Decimal,
    /// The variants, in snake case.
    Enum(Vec<String>),
    /// The domain that has the row, in the plural.
    Ref(String),
    /// A Rust type that the generator does not know, in a domain that the user has edited.
    Other(String),
}

/// Names that every item has.
const TAKEN: [&str; 5] = ["id", "created_at", "updated_at", "version", "links"];

const TYPES: &str = "text, u32, i64, f64, decimal, bool, date, timestamp, enum(a,b), ref(domain)";

/// Names of types in other generators, and ours.
const ELSEWHERE: [(&str, &str); 12] = [
    ("string", "text"),
    ("int", "i64"),
    ("integer", "i64"),
    ("bigint", "i64"),
    ("float", "f64"),
    ("double", "f64"),
    ("numeric", "decimal"),
    ("boolean", "bool"),
    ("datetime", "timestamp"),
    ("references", "ref(users)"),
    ("belongs_to", "ref(users)"),
    ("unique", "text:unique"),
];

impl Field {
    /// True for a reference to users.
    pub(crate) fn is_user(&self) -> bool {
        self.kind == Kind::Ref("users".to_owned())
    }
}

impl Kind {
    /// True if the values of a column of this type can be unique.
    const fn can_be_unique(&self) -> bool {
        matches!(
            self,
            Self::Text | Self::U32 | Self::I64 | Self::Timestamp | Self::Date | Self::Decimal
        )
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
        if kind.ends_with(":unique?") {
            return Err("`?` follows the type: `name:text?:unique`".to_owned());
        }
        let (kind, is_unique) = match kind.strip_suffix(":unique") {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        let (kind, is_optional) = match kind.strip_suffix('?') {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        let kind: Kind = kind.parse()?;
        if is_unique && !kind.can_be_unique() {
            return Err(
                "`unique` is for text, u32, i64, decimal, date and timestamp. For another type, add `#[unique(..)]` to the row by hand, and run `doyen generate migration`"
                    .to_owned(),
            );
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            is_optional,
            is_unique,
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
            "date" => Ok(Self::Date),
            "decimal" => Ok(Self::Decimal),
            _ => Err(unknown(text)),
        }
    }
}

fn unknown(text: &str) -> String {
    if let Some((_, modifier)) = text.split_once(':') {
        return format!("after the type there may be `:unique`, not `:{modifier}`");
    }
    let known = ELSEWHERE.iter().find(|(theirs, _)| *theirs == text);
    let instead = known.map_or_else(String::new, |(_, ours)| format!(": write `{ours}`"));
    format!("there is no type `{text}`{instead}; there are {TYPES}")
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
        let unique = if self.is_unique { ":unique" } else { "" };
        let kind = match kind {
            Kind::Text => "text".to_owned(),
            Kind::U32 => "u32".to_owned(),
            Kind::I64 => "i64".to_owned(),
            Kind::F64 => "f64".to_owned(),
            Kind::Bool => "bool".to_owned(),
            Kind::Timestamp => "timestamp".to_owned(),
            Kind::Date => "date".to_owned(),
            Kind::Decimal => "decimal".to_owned(),
            Kind::Enum(variants) => format!("enum({})", variants.join(",")),
            Kind::Ref(domain) => format!("ref({domain})"),
            Kind::Other(rust) => rust.clone(),
        };
        write!(f, "{name}:{kind}{optional}{unique}")
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
            "number:text:unique",
            "due:date?:unique",
            "total:decimal",
        ] {
            assert_eq!(text.parse::<Field>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (text, part) in [
            ("sku", "it has no type: write `sku:text`"),
            ("sku:string", "there is no type `string`: write `text`"),
            ("sku:varchar", "there is no type `varchar`; there are text"),
            ("sku:text:uniq", "`:unique`, not `:uniq`"),
            ("sku:text:unique?", "`name:text?:unique`"),
            ("gift:bool:unique", "`unique` is for text"),
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
