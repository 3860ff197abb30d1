//! The fields of a domain that was generated before, read from its `domain.rs`.

use syn::{Fields, GenericArgument, Item, ItemStruct, PathArguments, Type};

use crate::field::{Field, Kind};
use crate::names;

/// What `domain.rs` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Existing {
    /// Name of one item: `order`.
    pub(crate) singular: String,
    pub(crate) fields: Vec<Field>,
    /// Name of the field with the owner.
    pub(crate) owner: Option<String>,
}

/// Fields that every item has.
const COMMON: [&str; 4] = ["id", "created_at", "updated_at", "version"];

/// Reads `domain.rs`. `None` if it does not have the shape that the generator writes.
pub(crate) fn read(text: &str) -> Option<Existing> {
    let file = syn::parse_file(text).ok()?;
    let name = file.items.iter().find_map(|item| match item {
        Item::Trait(port) => Some(
            port.ident
                .to_string()
                .strip_suffix("Repository")?
                .to_owned(),
        ),
        _ => None,
    })?;
    let fields = named(find(&file.items, &name)?)?;
    let inputs = named(find(&file.items, "Draft")?)?;
    let mut owner = None;
    let mut found = Vec::new();
    for (field, rust) in fields {
        if COMMON.contains(&field.as_str()) {
            continue;
        }
        let (rust, is_optional) = match optional(&rust) {
            Some(inner) => (inner.clone(), true),
            None => (rust, false),
        };
        let taken = names::taken(&name, &field);
        let field = Field {
            kind: kind(&file.items, &name, &field, &rust),
            name: field,
            is_optional,
            is_unique: find(&file.items, &taken).is_some(),
        };
        let is_input = inputs.iter().any(|(input, _)| *input == field.name);
        if !is_input && field.is_user() && !is_optional {
            owner = owner.or_else(|| Some(field.name.clone()));
        }
        found.push(field);
    }
    Some(Existing {
        singular: names::snake(&name),
        fields: found,
        owner,
    })
}

fn find<'a>(items: &'a [Item], name: &str) -> Option<&'a ItemStruct> {
    items.iter().find_map(|item| match item {
        Item::Struct(found) if found.ident == name => Some(found),
        _ => None,
    })
}

/// Returns the fields of a struct and their types.
fn named(item: &ItemStruct) -> Option<Vec<(String, Type)>> {
    let Fields::Named(fields) = &item.fields else {
        return None;
    };
    let named = fields
        .named
        .iter()
        .filter_map(|field| Some((field.ident.as_ref()?.to_string(), field.ty.clone())));
    Some(named.collect())
}

/// Returns the `T` of an `Option<T>`.
fn optional(rust: &Type) -> Option<&Type> {
    let Type::Path(path) = rust else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if last.ident == "Option" => Some(inner),
        _ => None,
    }
}

fn kind(items: &[Item], item: &str, field: &str, rust: &Type) -> Kind {
    let name = match rust {
        Type::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    };
    let name = name.unwrap_or_default();
    match name.as_str() {
        "String" => Kind::Text,
        "u32" => Kind::U32,
        "i64" => Kind::I64,
        "f64" => Kind::F64,
        "bool" => Kind::Bool,
        "Timestamp" => Kind::Timestamp,
        "NaiveDate" => Kind::Date,
        "Decimal" => Kind::Decimal,
        _ if name == format!("{item}{}", names::pascal(field)) => {
            variants(items, &name).map_or_else(|| Kind::Other(name.clone()), Kind::Enum)
        }
        _ => match name.strip_suffix("Id").filter(|target| !target.is_empty()) {
            Some(target) => Kind::Ref(names::plural(&names::snake(target))),
            None => Kind::Other(name.clone()),
        },
    }
}

fn variants(items: &[Item], name: &str) -> Option<Vec<String>> {
    items.iter().find_map(|item| match item {
        Item::Enum(found) if found.ident == name => {
            let variants = found.variants.iter();
            Some(
                variants
                    .map(|variant| names::snake(&variant.ident.to_string()))
                    .collect(),
            )
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_from_the_code() {
        let text = "
            pub struct Order { pub id: OrderId, pub buyer: UserId, pub sku: String, pub size: Option<u32>,
                pub due: Option<NaiveDate>, pub status: OrderStatus, pub product: Option<ProductId>, pub mine: Vec<u8>, pub version: i64 }
            pub struct Draft { pub sku: String, pub size: Option<u32>, pub status: OrderStatus, pub product: Option<ProductId> }
            pub enum OrderStatus { Open, InWork }
            pub struct OrderDueTaken;
            pub trait OrderRepository {}
        ";
        let read = read(text).unwrap();
        assert_eq!(
            (read.singular.as_str(), read.owner.as_deref()),
            ("order", Some("buyer"))
        );
        let fields: Vec<String> = read.fields.iter().map(ToString::to_string).collect();
        assert_eq!(
            fields,
            [
                "buyer:ref(users)",
                "sku:text",
                "size:u32?",
                "due:date?:unique",
                "status:enum(open,in_work)",
                "product:ref(products)?",
                "mine:"
            ]
        );
        assert_eq!(super::read("struct Order {}"), None);
    }
}
