//! `doyen generate domain`: routes, rules, storage, migrations and tests.

use serde::Serialize;

use super::migration;
use crate::args::Domain;
use crate::changes::Changes;
use crate::failure::{Failure, Result, say};
use crate::field::{Field, Kind};
use crate::insert;
use crate::names;
use crate::project::Project;
use crate::templates::{DomainContext, SqlColumn, Templates, unique_columns};

pub(super) fn run(args: &Domain) -> Result {
    let singular = singular(&args.name, args.singular.as_deref())?;
    let project = Project::find()?;
    let mut changes = Changes::new(&project.root);
    let fields = args.fields.clone();
    let spec = Spec::new(&project, &args.name, &singular, fields)?;
    let version = match project.version_of(&args.name)? {
        Some(version) => version,
        None => project.next_version()?,
    };
    spec.add(&project, &version, &mut changes)?;
    changes.apply(args.force)?;
    changes.report_rest()?;
    say(&format!(
        "\nNext: `cargo test`, then `cargo run -- openapi > openapi.json`. `cargo run` serves {}.",
        spec.path()
    ));
    Ok(())
}

/// Returns the name of one item.
fn singular(plural: &str, given: Option<&str>) -> Result<String> {
    names::check_module(plural).map_err(Failure::usage)?;
    let singular = match given {
        Some(word) => word.to_owned(),
        None => names::singular(plural).ok_or_else(|| {
            Failure::usage(format!("`{plural}` is no regular plural")).help(format!(
                "write `{}`, or name one item: `--singular {plural}_item`",
                names::plural(plural)
            ))
        })?,
    };
    names::check_type(&singular).map_err(Failure::usage)?;
    if singular == plural {
        return Err(Failure::usage(format!(
            "`{plural}` names the domain and one item: the two need different names"
        )));
    }
    Ok(singular)
}

/// A domain to generate.
pub(super) struct Spec<'a> {
    plural: &'a str,
    fields: Vec<Field>,
    owner: Option<String>,
    context: DomainContext,
}

impl<'a> Spec<'a> {
    pub(super) fn new(
        project: &Project,
        plural: &'a str,
        singular: &str,
        mut fields: Vec<Field>,
    ) -> Result<Self> {
        project.needs_database()?;
        check(project, plural, &fields)?;
        let is_owner =
            |field: &Field| project.has_accounts && field.is_user() && !field.is_optional;
        let owner = fields.iter().position(is_owner).map(|at| {
            // The owner is the first field of every struct.
            let owner = fields.remove(at);
            let name = owner.name.clone();
            fields.insert(0, owner);
            name
        });
        if fields
            .iter()
            .all(|field| matches!(field.kind, Kind::Ref(_)))
        {
            return Err(Failure::usage(
                "a domain needs a field that is no reference, such as `title:text`",
            ));
        }
        let subject = names::pascal(&project.crate_name);
        let context = DomainContext::new(
            plural,
            singular,
            &fields,
            owner.as_deref(),
            project.has_accounts,
            &subject,
        );
        Ok(Self {
            plural,
            fields,
            owner,
            context,
        })
    }

    pub(super) fn path(&self) -> String {
        format!("/v1/{}", self.plural.replace('_', "-"))
    }

    /// Adds every file and edit. `version` is that of the migration.
    pub(super) fn add(&self, project: &Project, version: &str, changes: &mut Changes) -> Result {
        let templates = Templates::new()?;
        for (template, path) in files(self.plural) {
            changes.create(path, templates.render(template, &self.context)?)?;
        }
        for database in &project.databases {
            let up = templates.render("domain/table.up.sql", &self.table(database))?;
            let down = format!("DROP TABLE {};\n", self.plural);
            migration::add(changes, database, version, self.plural, up, down)?;
        }
        self.register(project, changes)
    }

    /// Registers the domain in the files of the application.
    fn register(&self, project: &Project, changes: &mut Changes) -> Result {
        features(&self.fields, changes)?;
        let plural = self.plural;
        let line = format!("pub mod {plural};");
        changes.edit("src/lib.rs", &line, |text| {
            insert::module(text, "pub ", plural)
        })?;
        let call = format!(".module({plural}::module())");
        changes.edit("src/lib.rs", &call, |text| insert::mounted(text, &call))?;
        let line = format!("mod {plural};");
        changes.edit("tests/suite/main.rs", &line, |text| {
            insert::module(text, "", plural)
        })?;
        if !project.has_accounts {
            return Ok(());
        }
        let (items, many) = (names::pascal(plural), names::spaced(plural));
        let variants = [format!("{items}Read"), format!("{items}Write")];
        let scopes = format!(
            "    /// Read {many}.\n    #[scope(\"{plural}:read\")]\n    {},\n    /// Create, change and delete {many}.\n    #[scope(\"{plural}:write\")]\n    {},\n",
            variants[0], variants[1]
        );
        changes.edit("src/access.rs", &scopes, |text| {
            let names = [variants[0].as_str(), variants[1].as_str()];
            insert::variants(text, "Scope", &names, &scopes)
        })
    }

    fn table(&self, database: &str) -> Table {
        let is_sqlite = database == "sqlite";
        let time = |name: &str| match is_sqlite {
            true => format!("text NOT NULL CHECK ({name} GLOB '????-??-??T??:??:??*+00:00')"),
            false => "timestamptz NOT NULL".to_owned(),
        };
        let plural = self.plural;
        let by_time = match &self.owner {
            Some(owner) => {
                format!("CREATE INDEX {plural}_by_{owner} ON {plural} ({owner}, created_at, id);")
            }
            None => format!("CREATE INDEX {plural}_by_time ON {plural} (created_at, id);"),
        };
        let others = self
            .fields
            .iter()
            .filter(|field| self.owner.as_ref() != Some(&field.name));
        let others = others
            .filter_map(|field| Index::of(plural, field, self.owner.as_deref()))
            .map(|index| index.create(""));
        Table {
            plural: plural.to_owned(),
            key: match is_sqlite {
                true => "blob PRIMARY KEY NOT NULL CHECK (length(id) = 16)",
                false => "uuid PRIMARY KEY",
            },
            columns: self
                .fields
                .iter()
                .map(|field| SqlColumn::new(field, database).line())
                .collect(),
            time_of_creation: time("created_at"),
            time_of_update: time("updated_at"),
            integer: if is_sqlite { "integer" } else { "bigint" },
            strict: if is_sqlite { " STRICT" } else { "" },
            indexes: std::iter::once(by_time).chain(others).collect(),
        }
    }
}

/// Adds the Cargo features that the types of fields need.
pub(super) fn features(fields: &[Field], changes: &mut Changes) -> Result {
    if fields.iter().all(|field| field.kind != Kind::Decimal) {
        return Ok(());
    }
    let by_hand = "the feature \"decimal\" of `doyen`";
    changes.edit("Cargo.toml", by_hand, |text| {
        insert::feature(text, "decimal")
    })
}

/// The index of a field.
pub(super) struct Index {
    pub(super) name: String,
    unique: &'static str,
    /// The table and its columns.
    on: String,
}

impl Index {
    /// Returns the index of a field whose values are unique, or of a reference, which the database
    /// uses when a referenced row is deleted.
    pub(super) fn of(plural: &str, field: &Field, owner: Option<&str>) -> Option<Self> {
        let columns = match &field.kind {
            _ if field.is_unique => unique_columns(field, owner),
            Kind::Ref(_) => vec![field.name.as_str()],
            _ => return None,
        };
        Some(Self {
            name: format!("{plural}_by_{}", columns.join("_")),
            unique: if field.is_unique { "UNIQUE " } else { "" },
            on: format!("{plural} ({})", columns.join(", ")),
        })
    }

    /// Returns the statement that creates it. `way` is empty or `CONCURRENTLY`.
    pub(super) fn create(&self, way: &str) -> String {
        let Self { name, unique, on } = self;
        let space = if way.is_empty() { "" } else { " " };
        format!("CREATE {unique}INDEX{space}{way} {name} ON {on};")
    }
}

/// The templates of a domain, and the files that they become.
pub(super) fn files(plural: &str) -> [(&'static str, String); 7] {
    [
        ("domain/mod.rs", format!("src/{plural}/mod.rs")),
        ("domain/api.rs", format!("src/{plural}/api.rs")),
        ("domain/domain.rs", format!("src/{plural}/domain.rs")),
        ("domain/memory.rs", format!("src/{plural}/domain/memory.rs")),
        (
            "domain/domain_tests.rs",
            format!("src/{plural}/domain/tests.rs"),
        ),
        (
            "domain/infrastructure.rs",
            format!("src/{plural}/infrastructure.rs"),
        ),
        ("domain/tests.rs", format!("tests/suite/{plural}.rs")),
    ]
}

/// Checks the names of fields, and that the domains they refer to exist.
pub(super) fn check(project: &Project, plural: &str, fields: &[Field]) -> Result {
    for (at, field) in fields.iter().enumerate() {
        if fields[..at].iter().any(|other| other.name == field.name) {
            return Err(Failure::usage(format!(
                "the field `{}` is there twice",
                field.name
            )));
        }
        let Kind::Ref(domain) = &field.kind else {
            continue;
        };
        let is_there = match domain.as_str() {
            "users" => project.has_accounts,
            own if own == plural && field.is_optional => true,
            own if own == plural => {
                return Err(Failure::usage(format!(
                    "`{field}` refers to its own domain, so that the first row could not exist"
                ))
                .help(format!("make it optional: `{field}?`")));
            }
            other => project
                .root
                .join("src")
                .join(other)
                .join("domain.rs")
                .is_file(),
        };
        if !is_there {
            let why = match domain.as_str() {
                "users" => "the application has no accounts".to_owned(),
                _ => format!("there is no domain `{domain}` in src"),
            };
            return Err(Failure::new(format!("`{field}`: {why}"))
                .help(format!("generate `{domain}` first, or leave the field out")));
        }
    }
    Ok(())
}

/// The values of the template of a table.
#[derive(Serialize)]
struct Table {
    plural: String,
    key: &'static str,
    columns: Vec<String>,
    time_of_creation: String,
    time_of_update: String,
    integer: &'static str,
    strict: &'static str,
    indexes: Vec<String>,
}
