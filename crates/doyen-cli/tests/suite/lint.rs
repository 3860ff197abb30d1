//! The linter of migrations has no findings in anything that the generator writes.

use std::path::Path;

use doyen_data::schema::{Answers, FoundColumn, FoundTable, plan};
use doyen_data::sea_orm::DbBackend;
use doyen_data::table::{Column, ColumnKind, Index, Reference, Table};
use doyen_migration_lint::{File, Scope, lint};

use crate::sandbox::Sandbox;

/// Every type that a field can have.
const TYPES: [&str; 10] = [
    "text",
    "u32",
    "i64",
    "f64",
    "decimal",
    "bool",
    "date",
    "timestamp",
    "enum(low,high)",
    "ref(notes)",
];

const UNIQUE: [&str; 6] = ["text", "u32", "i64", "decimal", "date", "timestamp"];

/// A field of each type: `one_0:text`, `one_1:u32`.
fn all_of(name: &str, types: &[&str], ending: &str) -> Vec<String> {
    let types = types.iter().enumerate();
    types
        .map(|(at, kind)| format!("{name}_{at}:{kind}{ending}"))
        .collect()
}

/// Lints each migration as one for tables with rows. Returns the number of files for PostgreSQL.
fn lint_all(application: &Path) -> usize {
    let mut counts = Vec::new();
    for (database, backend) in [
        ("sqlite", DbBackend::Sqlite),
        ("postgres", DbBackend::Postgres),
    ] {
        let folder = application.join("migrations").join(database);
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.strip_suffix(".up.sql").map(str::to_owned)
            })
            .collect();
        names.sort();
        let text = |name: &str, way: &str| {
            std::fs::read_to_string(folder.join(format!("{name}.{way}.sql"))).unwrap()
        };
        let texts: Vec<(String, String)> = names
            .iter()
            .map(|name| (text(name, "up"), text(name, "down")))
            .collect();
        let files: Vec<File<'_>> = names
            .iter()
            .zip(&texts)
            .map(|(name, (up, down))| File {
                up,
                down,
                backend,
                path: format!("{database}/{name}"),
            })
            .collect();
        let findings = lint(&files, Scope::Each);
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", findings.join("\n\n"));
        counts.push(files.len());
    }
    assert_eq!(counts[0], counts[1], "a version is in both folders");
    counts[1]
}

#[test]
fn migrations_of_new_applications_and_domains_have_no_findings() {
    for variant in [
        &["--postgres"][..],
        &["--postgres", "--no-accounts"],
        &["--postgres", "--flat"],
        &["--postgres", "--flat", "--no-accounts"],
    ] {
        let (sandbox, shop) = Sandbox::shop(variant);
        let before = lint_all(&shop);
        // A flat application has no domain to refer to.
        let types = match variant.contains(&"--flat") {
            true => &TYPES[..9],
            false => &TYPES[..],
        };
        let mut fields = all_of("one", types, "");
        fields.extend(all_of("maybe", types, "?"));
        fields.extend(all_of("single", &UNIQUE, ":unique"));
        fields.extend(all_of("none_or_single", &UNIQUE, "?:unique"));
        if !variant.contains(&"--no-accounts") {
            fields.push("owner:ref(users)".to_owned());
            fields.push("helper:ref(users)?".to_owned());
        }
        let mut arguments = vec!["generate", "domain", "orders"];
        arguments.extend(fields.iter().map(String::as_str));
        sandbox.doyen("shop", &arguments).success();
        assert_eq!(lint_all(&shop), before + 1);
    }
}

/// The table has rows and is in use.
#[test]
fn migrations_of_new_fields_have_no_findings() {
    for owner in ["owner:ref(users)", "owner:ref(users)?"] {
        let (sandbox, shop) = Sandbox::shop(&["--postgres"]);
        let orders = ["generate", "domain", "orders", "sku:text", owner];
        sandbox.doyen("shop", &orders).success();
        let add = |fields: &[&str]| {
            let before = lint_all(&shop);
            let arguments = [&["generate", "field", "orders"], fields].concat();
            sandbox.doyen("shop", &arguments).success();
            lint_all(&shop) - before
        };
        // A migration for the column, and one for what is done without blocking writers.
        for (field, migrations) in [
            ("a:text", 1),
            ("b:enum(x,y)?", 2),
            ("c:ref(notes)?", 2),
            ("d:date?:unique", 2),
        ] {
            assert_eq!(add(&[field]), migrations, "{field}");
        }
        let mut fields = all_of("maybe", &TYPES, "?");
        // Rows that exist have a value of these types.
        let with_default = ["text", "u32", "i64", "f64", "decimal", "bool", "enum(a,b)"];
        fields.extend(all_of("one", &with_default, ""));
        fields.extend(all_of("none_or_single", &UNIQUE, "?:unique"));
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        assert_eq!(add(&fields), 2);
    }
}

fn column(name: &str, kind: ColumnKind, is_nullable: bool, default: Option<&str>) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        is_nullable,
        default: default.map(str::to_owned),
        is_auto_increment: false,
    }
}

/// The table `orders` with these columns in addition to its own.
fn orders(columns: Vec<Column>) -> Table {
    let mut all = vec![
        column("id", ColumnKind::Uuid, false, None),
        column("note", ColumnKind::Text, true, None),
        column("sku", ColumnKind::Text, false, None),
    ];
    all.extend(columns);
    Table {
        name: "orders".to_owned(),
        columns: all,
        primary_key: vec!["id".to_owned()],
        ..Table::default()
    }
}

/// The table of [`orders`] in a database, and one column that no entity has.
fn found(backend: DbBackend) -> FoundTable {
    let is_sqlite = backend == DbBackend::Sqlite;
    let of = |name: &str, kind: &str, is_nullable| FoundColumn {
        name: name.to_owned(),
        kind: kind.to_owned(),
        is_nullable,
        has_default: false,
        is_generated: false,
    };
    FoundTable {
        name: "orders".to_owned(),
        columns: vec![
            of("id", if is_sqlite { "blob" } else { "uuid" }, false),
            of("note", "text", true),
            of("sku", "text", false),
            of("old", "text", true),
        ],
        primary_key: vec!["id".to_owned()],
        ..FoundTable::default()
    }
}

/// Returns the codes of what the linter finds in the migrations of a difference.
fn codes(table: &Table, backend: DbBackend, answers: &Answers) -> Vec<&'static str> {
    let tables = [table.clone()];
    let plan = plan(&tables, &[found(backend)], backend, backend, answers).unwrap();
    assert!(!plan.drafts.is_empty());
    let files: Vec<File<'_>> = plan
        .drafts
        .iter()
        .map(|draft| File {
            up: &draft.up,
            down: &draft.down,
            backend,
            path: "generated".to_owned(),
        })
        .collect();
    let findings = lint(&files, Scope::Each);
    findings.iter().map(|one| one.code.as_str()).collect()
}

/// What `doyen generate migration` writes. The findings that are left are decisions of a person.
#[test]
fn migrations_of_entities_have_no_findings_but_those_that_need_a_reason() {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let keep = Answers {
        keeps: vec!["orders.old".to_owned()],
        defaults: vec![pair("orders.gift", "false"), pair("orders.note", "none")],
        ..Answers::default()
    };
    let index = |columns: &[&str], is_unique| Index {
        name: format!("orders_by_{}", columns.join("_")),
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        is_unique,
    };
    let reference = |column: &str| Reference {
        column: column.to_owned(),
        table: "users".to_owned(),
        key: "id".to_owned(),
        on_delete: None,
    };
    for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
        let is_sqlite = backend == DbBackend::Sqlite;
        // New columns, indexes and a reference.
        let mut table = orders(vec![
            column("gift", ColumnKind::Boolean, false, None),
            column("pieces", ColumnKind::Integer, false, Some("1")),
            column("day", ColumnKind::Date, true, None),
            column("buyer", ColumnKind::Uuid, true, None),
        ]);
        table.references = vec![reference("buyer")];
        assert_eq!(codes(&table, backend, &keep), [""; 0], "{backend:?}");
        table.indexes = vec![index(&["buyer"], false), index(&["sku", "day"], true)];
        assert_eq!(codes(&table, backend, &keep), [""; 0], "{backend:?}");
        // A column that can no longer be NULL, and one that can be.
        let mut table = orders(Vec::new());
        table.columns[1].is_nullable = false;
        assert_eq!(codes(&table, backend, &keep), [""; 0], "{backend:?}");
        let mut table = orders(Vec::new());
        table.columns[2].is_nullable = true;
        let expected: &[&str] = if is_sqlite { &[] } else { &["drop_not_null"] };
        assert_eq!(codes(&table, backend, &keep), expected, "{backend:?}");
        // Answers that break the former version of the program.
        let rename = Answers {
            renames: vec![pair("orders.old", "title")],
            ..Answers::default()
        };
        let table = orders(vec![column("title", ColumnKind::Text, true, None)]);
        assert_eq!(codes(&table, backend, &rename), ["rename_column"]);
        let drop = Answers {
            drops: vec!["orders.old".to_owned()],
            ..Answers::default()
        };
        let table = orders(Vec::new());
        assert_eq!(codes(&table, backend, &drop), ["drop_column"]);
    }
}
