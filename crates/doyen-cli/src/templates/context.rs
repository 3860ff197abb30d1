//! The values that templates use.

use std::path::PathBuf;

use serde::Serialize;

use crate::field::{Field, Kind};
use crate::names::{pascal, prefix, singular, spaced, taken, title, with_article};

/// The values of an application.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProjectContext {
    /// `my-api`.
    pub(crate) name: String,
    /// `my_api`.
    pub(crate) crate_name: String,
    /// `My api`.
    pub(crate) title: String,
    /// The type of the application in tests: `MyApi`.
    pub(crate) subject: String,
    /// The type of a client in tests.
    pub(crate) client: String,
    pub(crate) accounts: bool,
    pub(crate) postgres: bool,
    pub(crate) flat: bool,
    /// The source of the dependency: `version = "0.1"` or `path = ".."`.
    pub(crate) doyen: String,
    pub(crate) doyen_test: String,
    /// The checkout of Doyen, if the dependencies are in one.
    pub(crate) checkout: Option<PathBuf>,
    pub(crate) rust_version: String,
    /// The user of the container.
    pub(crate) user: String,
    /// Visibility of types that other files of a folder use.
    pub(crate) visibility: &'static str,
    /// Access policies of the example.
    pub(crate) read: &'static str,
    pub(crate) write: &'static str,
}

/// The values of a domain.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DomainContext {
    plural: String,
    singular: String,
    /// Type of one item, and of the service.
    item: String,
    items: String,
    one: String,
    many: String,
    a_one: String,
    title_one: String,
    title_a_one: String,
    title_many: String,
    path: String,
    prefix: String,
    subject: String,
    client: String,
    accounts: bool,
    read: String,
    write: String,
    create_error: String,
    owner: Option<FieldContext>,
    fields: Vec<FieldContext>,
    /// The field that tests change: the first that is no reference.
    first: Option<FieldContext>,
    enums: Vec<EnumContext>,
    foreign: Vec<ForeignContext>,
    unique: Vec<UniqueContext>,
    /// Types of `doyen::domain` that fields have.
    imports: Vec<&'static str>,
    has_decimals: bool,
    uses_user_id: bool,
    has_refs: bool,
    /// True if storing a row can fail for a reason that the client can correct.
    can_conflict: bool,
    has_required_refs: bool,
}

/// The values of a field.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldContext {
    name: String,
    /// Variant of `row::Column`.
    column: String,
    doc: String,
    /// Type in the domain.
    rust: String,
    /// Type in the row.
    column_type: String,
    /// The table that the column refers to; empty if it refers to none.
    references: String,
    to_column: String,
    from_column: String,
    /// Added to an input to get the value that is stored; empty if they are the same.
    normalize: String,
    validate: &'static str,
    example_rust: String,
    other_rust: String,
    /// Value in the body of a test; empty to leave it out.
    example_json: String,
    other_json: String,
}

/// The values of a field whose values are unique.
#[derive(Clone, Debug, Serialize)]
struct UniqueContext {
    name: String,
    words: String,
    /// Type of the problem.
    taken: String,
    /// Variant of the errors.
    variant: String,
    /// Columns of the index.
    columns: String,
    /// The columns in the error of the database.
    violation: String,
    is_optional: bool,
    example_rust: String,
    other_rust: String,
}

/// The values of an enum.
#[derive(Clone, Debug, Serialize)]
struct EnumContext {
    name: String,
    field: String,
    words: String,
    title: String,
    variants: Vec<VariantContext>,
}

#[derive(Clone, Debug, Serialize)]
struct VariantContext {
    word: String,
    name: String,
    title: String,
}

/// A domain that fields refer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ForeignContext {
    item: String,
    a_one: String,
    many: String,
    prefix: String,
}

impl DomainContext {
    /// Describes a domain. `owner` is the field with the caller who creates the row.
    pub(crate) fn new(
        plural: &str,
        singular: &str,
        fields: &[Field],
        owner: Option<&str>,
        has_accounts: bool,
        subject: &str,
    ) -> Self {
        let item = pascal(singular);
        let items = pascal(plural);
        let (owners, fields): (Vec<&Field>, Vec<&Field>) = fields
            .iter()
            .partition(|field| owner == Some(field.name.as_str()));
        let of = |field: &&Field| FieldContext::new(field, singular, plural);
        let refs = |field: &&&Field| matches!(field.kind, Kind::Ref(_));
        let has_refs = fields.iter().any(|field| refs(&field));
        let has = |kind: &Kind| fields.iter().any(|field| field.kind == *kind);
        let unique = unique(&fields, singular, plural, owner);
        let can_conflict = has_refs || !unique.is_empty();
        let policy = |what: &str| match has_accounts {
            true => format!("Scope::{items}{what}"),
            false => "anyone".to_owned(),
        };
        let uses_user_id = owners.iter().chain(&fields).any(|field| field.is_user());
        Self {
            plural: plural.to_owned(),
            singular: singular.to_owned(),
            one: spaced(singular),
            many: spaced(plural),
            a_one: with_article(singular),
            title_one: title(singular),
            title_a_one: title(&with_article(singular)),
            title_many: title(plural),
            path: format!("/v1/{}", plural.replace('_', "-")),
            prefix: prefix(singular),
            subject: subject.to_owned(),
            client: if has_accounts { "Person" } else { subject }.to_owned(),
            accounts: has_accounts,
            read: policy("Read"),
            write: policy("Write"),
            create_error: match can_conflict {
                true => format!("Create{item}"),
                false => "Unexpected".to_owned(),
            },
            owner: owners.first().map(of),
            enums: enums(&fields, singular),
            foreign: foreign(&fields, plural),
            unique,
            imports: [(Kind::Decimal, "Decimal"), (Kind::Date, "NaiveDate")]
                .iter()
                .filter_map(|(kind, name)| has(kind).then_some(*name))
                .collect(),
            has_decimals: has(&Kind::Decimal),
            uses_user_id,
            has_refs,
            can_conflict,
            has_required_refs: fields
                .iter()
                .any(|field| refs(&field) && !field.is_optional),
            first: fields.iter().find(|field| !refs(field)).map(of),
            fields: fields.iter().map(of).collect(),
            item,
            items,
        }
    }
}

fn enums(fields: &[&Field], singular: &str) -> Vec<EnumContext> {
    let found = fields.iter().filter_map(|field| match &field.kind {
        Kind::Enum(variants) => Some((field, variants)),
        _ => None,
    });
    found
        .map(|(field, variants)| EnumContext {
            name: enum_name(field, singular),
            field: field.name.clone(),
            words: spaced(&field.name),
            title: title(&field.name),
            variants: variants
                .iter()
                .map(|word| VariantContext {
                    word: word.clone(),
                    name: pascal(word),
                    title: title(word),
                })
                .collect(),
        })
        .collect()
}

fn unique(
    fields: &[&Field],
    singular: &str,
    plural: &str,
    owner: Option<&str>,
) -> Vec<UniqueContext> {
    let unique = fields.iter().filter(|field| field.is_unique);
    unique
        .map(|field| {
            let columns = unique_columns(field, owner);
            let of = FieldContext::new(field, singular, plural);
            UniqueContext {
                name: field.name.clone(),
                words: spaced(&field.name),
                taken: taken(&pascal(singular), &field.name),
                variant: taken("", &field.name),
                violation: columns
                    .iter()
                    .map(|column| format!("{plural}.{column}"))
                    .collect::<Vec<_>>()
                    .join(", "),
                columns: columns.join(", "),
                is_optional: field.is_optional,
                example_rust: of.example_rust,
                other_rust: of.other_rust,
            }
        })
        .collect()
}

/// The columns of the index of a unique field: a value is unique among the rows of the owner, so
/// that it reveals nothing about those of others.
pub(crate) fn unique_columns<'a>(field: &'a Field, owner: Option<&'a str>) -> Vec<&'a str> {
    owner.into_iter().chain([field.name.as_str()]).collect()
}

/// The other domains that fields refer to, each once. Users have their id in `access`.
fn foreign(fields: &[&Field], own: &str) -> Vec<ForeignContext> {
    let mut all: Vec<ForeignContext> = Vec::new();
    for field in fields {
        let Kind::Ref(domain) = &field.kind else {
            continue;
        };
        if field.is_user() || domain == own {
            continue;
        }
        let one = one_of(domain);
        let target = ForeignContext {
            item: pascal(&one),
            a_one: with_article(&one),
            many: spaced(domain),
            prefix: prefix(&one),
        };
        if !all.contains(&target) {
            all.push(target);
        }
    }
    all
}

fn one_of(domain: &str) -> String {
    singular(domain).unwrap_or_else(|| domain.to_owned())
}

fn enum_name(field: &Field, singular: &str) -> String {
    format!("{}{}", pascal(singular), pascal(&field.name))
}

impl FieldContext {
    fn new(field: &Field, singular: &str, plural: &str) -> Self {
        let Field {
            name, is_optional, ..
        } = field;
        let normalize = match (&field.kind, is_optional) {
            (Kind::Decimal, true) => format!(".map(|{name}| {name}.normalize())"),
            (Kind::Decimal, false) => ".normalize()".to_owned(),
            _ => String::new(),
        };
        let value = format!("{singular}.{name}");
        let of = Conversion::new(field, singular, &value);
        let wrap = |rust: &str| match is_optional {
            true => format!("Option<{rust}>"),
            false => rust.to_owned(),
        };
        let some = |rust: String| match is_optional {
            true => format!("Some({rust})"),
            false => rust,
        };
        let (example, other, example_json, other_json) = examples(field, singular, plural);
        Self {
            name: name.clone(),
            column: pascal(name),
            doc: format!("{}.", title(name)),
            rust: wrap(&of.rust),
            column_type: wrap(of.column_type),
            references: match &field.kind {
                Kind::Ref(domain) => domain.clone(),
                _ => String::new(),
            },
            to_column: of.to_column,
            from_column: of.from_column,
            normalize,
            validate: match field.kind {
                Kind::Text => "length(min = 1, max = 1_000)",
                _ => "",
            },
            example_rust: match (is_optional, &field.kind) {
                (true, Kind::Ref(_)) => "None".to_owned(),
                _ => some(example),
            },
            other_rust: some(other),
            example_json,
            other_json,
        }
    }
}

/// How a value becomes a column, and a column a value.
struct Conversion {
    rust: String,
    column_type: &'static str,
    to_column: String,
    from_column: String,
}

impl Conversion {
    fn new(field: &Field, singular: &str, value: &str) -> Self {
        let Field {
            name,
            kind,
            is_optional,
            ..
        } = field;
        let optional = *is_optional;
        let choose = |one: String, some: String| if optional { some } else { one };
        let row = format!("row.{name}");
        let plain = |rust: &str, column_type| Self {
            rust: rust.to_owned(),
            column_type,
            to_column: value.to_owned(),
            from_column: row.clone(),
        };
        match kind {
            Kind::Text => Self {
                to_column: format!("{value}.clone()"),
                ..plain("String", "String")
            },
            Kind::U32 => Self {
                to_column: choose(
                    format!("{value}.into()"),
                    format!("{value}.map(Into::into)"),
                ),
                from_column: choose(
                    format!("{row}.try_into()?"),
                    format!("{row}.map(TryInto::try_into).transpose()?"),
                ),
                ..plain("u32", "i64")
            },
            Kind::I64 => plain("i64", "i64"),
            Kind::F64 => plain("f64", "f64"),
            Kind::Bool => plain("bool", "bool"),
            Kind::Date => plain("NaiveDate", "Date"),
            Kind::Timestamp | Kind::Decimal => Self {
                to_column: choose(
                    format!("{value}.into()"),
                    format!("{value}.map(Into::into)"),
                ),
                from_column: choose(format!("{row}.into()"), format!("{row}.map(Into::into)")),
                ..match kind {
                    Kind::Decimal => plain("Decimal", "StoredDecimal"),
                    _ => plain("Timestamp", "DateTimeUtc"),
                }
            },
            Kind::Enum(_) => Self {
                to_column: choose(
                    format!("{value}.as_str().to_owned()"),
                    format!("{value}.map(|{name}| {name}.as_str().to_owned())"),
                ),
                from_column: choose(
                    format!("{name}(&{row})?"),
                    format!("{row}.as_deref().map({name}).transpose()?"),
                ),
                ..plain(&enum_name(field, singular), "String")
            },
            Kind::Ref(domain) => Self {
                to_column: choose(format!("{value}.uuid()"), format!("{value}.map(Id::uuid)")),
                from_column: choose(format!("{row}.into()"), format!("{row}.map(Into::into)")),
                ..plain(&format!("{}Id", pascal(&one_of(domain))), "Uuid")
            },
            Kind::Other(rust) => plain(rust, "String"),
        }
    }
}

/// Two values in Rust, and two in JSON.
fn examples(field: &Field, singular: &str, plural: &str) -> (String, String, String, String) {
    let words = spaced(&field.name);
    let pair = |one: &str, other: &str| {
        (
            one.to_owned(),
            other.to_owned(),
            one.to_owned(),
            other.to_owned(),
        )
    };
    if field.is_unique {
        return unique_examples(field);
    }
    match &field.kind {
        Kind::Text => (
            format!("\"{words}\".to_owned()"),
            format!("\"other {words}\".to_owned()"),
            format!("\"{words}\""),
            format!("\"other {words}\""),
        ),
        Kind::U32 | Kind::I64 => pair("1", "2"),
        Kind::F64 => pair("1.5", "2.5"),
        Kind::Bool => pair("true", "false"),
        Kind::Timestamp => (
            "Timestamp::from_micros(0)".to_owned(),
            "Timestamp::from_micros(1)".to_owned(),
            "\"2026-01-31T12:00:00Z\"".to_owned(),
            "\"2026-02-28T12:00:00Z\"".to_owned(),
        ),
        Kind::Date => (
            "NaiveDate::from_ymd_opt(2026, 1, 31).unwrap()".to_owned(),
            "NaiveDate::from_ymd_opt(2026, 2, 28).unwrap()".to_owned(),
            "\"2026-01-31\"".to_owned(),
            "\"2026-02-28\"".to_owned(),
        ),
        Kind::Decimal => (
            "Decimal::new(15, 1)".to_owned(),
            "Decimal::new(25, 1)".to_owned(),
            "\"1.5\"".to_owned(),
            "\"2.5\"".to_owned(),
        ),
        Kind::Enum(variants) => {
            let name = enum_name(field, singular);
            let rust = |at: usize| format!("{name}::{}", pascal(&variants[at]));
            let json = |at: usize| format!("\"{}\"", variants[at]);
            (rust(0), rust(1), json(0), json(1))
        }
        Kind::Ref(domain) => {
            let new = format!("{}Id::new()", pascal(&one_of(domain)));
            let created = match () {
                () if field.is_optional => String::new(),
                () if field.is_user() => {
                    "client.get(\"/v1/me\").send().await.text_at(\"/id\")".to_owned()
                }
                () if domain == plural => String::new(),
                () => format!("crate::{domain}::created(client).await.text_at(\"/id\")"),
            };
            (new.clone(), new, created, "null".to_owned())
        }
        Kind::Other(_) => pair("Default::default()", "Default::default()"),
    }
}

/// The same for a field whose values are unique: each body of a test has another value.
fn unique_examples(field: &Field) -> (String, String, String, String) {
    let plain = Field {
        is_unique: false,
        ..field.clone()
    };
    let (one, other, _, other_json) = examples(&plain, "", "");
    let words = spaced(&field.name);
    let next = match field.kind {
        Kind::Text => format!("format!(\"{words} {{}}\", next())"),
        Kind::Decimal => "format!(\"{}.75\", next())".to_owned(),
        Kind::Date => "format!(\"{}-01-31\", 2030 + next())".to_owned(),
        Kind::Timestamp => "format!(\"{}-01-31T12:00:00Z\", 2030 + next())".to_owned(),
        // The other example is 2.
        _ => "100 + next()".to_owned(),
    };
    (one, other, next, other_json)
}

/// A column of a table: its definition, and what its values must satisfy.
pub(crate) struct SqlColumn {
    pub(crate) definition: String,
    /// `CHECK (..)` or `REFERENCES ..`; empty if there is nothing to check.
    pub(crate) constraint: String,
}

impl SqlColumn {
    pub(crate) fn new(field: &Field, database: &str) -> Self {
        let name = &field.name;
        let is_sqlite = database == "sqlite";
        let (kind, constraint) = match &field.kind {
            // SQLite has no exact decimals.
            Kind::Text | Kind::Decimal | Kind::Other(_) => ("text", String::new()),
            Kind::U32 => (
                integer(is_sqlite),
                format!("CHECK ({name} BETWEEN 0 AND 4294967295)"),
            ),
            Kind::I64 => (integer(is_sqlite), String::new()),
            Kind::F64 if is_sqlite => ("real", String::new()),
            Kind::F64 => ("double precision", String::new()),
            Kind::Bool if is_sqlite => ("integer", format!("CHECK ({name} IN (0, 1))")),
            Kind::Bool => ("boolean", String::new()),
            Kind::Date if is_sqlite => ("text", format!("CHECK ({name} GLOB '????-??-??')")),
            Kind::Date => ("date", String::new()),
            Kind::Timestamp if is_sqlite => (
                "text",
                format!("CHECK ({name} GLOB '????-??-??T??:??:??*+00:00')"),
            ),
            Kind::Timestamp => ("timestamptz", String::new()),
            Kind::Enum(variants) => {
                let words: Vec<String> = variants.iter().map(|word| format!("'{word}'")).collect();
                ("text", format!("CHECK ({name} IN ({}))", words.join(", ")))
            }
            Kind::Ref(domain) => (
                if is_sqlite { "blob" } else { "uuid" },
                format!("REFERENCES {domain} (id)"),
            ),
        };
        let not_null = if field.is_optional { "" } else { " NOT NULL" };
        Self {
            definition: format!("{name} {kind}{not_null}"),
            constraint,
        }
    }

    /// The line of `CREATE TABLE`.
    pub(crate) fn line(&self) -> String {
        let line = format!("{} {}", self.definition, self.constraint);
        line.trim_end().to_owned()
    }
}

fn integer(is_sqlite: bool) -> &'static str {
    if is_sqlite { "integer" } else { "bigint" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_type_and_the_checks_of_the_database() {
        let column =
            |field: &str, database| SqlColumn::new(&field.parse().unwrap(), database).line();
        assert_eq!(
            column("status:enum(open,paid)", "sqlite"),
            "status text NOT NULL CHECK (status IN ('open', 'paid'))"
        );
        assert_eq!(column("gift:bool?", "postgres"), "gift boolean");
        assert_eq!(
            column("due:date", "sqlite"),
            "due text NOT NULL CHECK (due GLOB '????-??-??')"
        );
        assert_eq!(column("total:decimal?", "postgres"), "total text");
        assert_eq!(
            column("product:ref(products)", "postgres"),
            "product uuid NOT NULL REFERENCES products (id)"
        );
    }
}
