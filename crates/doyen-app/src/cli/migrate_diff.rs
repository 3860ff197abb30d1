//! The command `migrate diff`: what the entities declare, against what the migrations make.
//!
//! All migrations are applied to a scratch database: a SQLite file, and a database on a PostgreSQL
//! server if there is one. Without a server, the SQL of PostgreSQL is derived from the difference
//! on SQLite.

use doyen_data::schema::{Draft, FoundTable, Phase, Plan, Scratch, plan};
use doyen_data::sea_orm::DbBackend;
use serde_json::{Map, Value, json};

use super::args::MigrateDiff;
use super::{Failed, say};
use crate::Built;

/// The server of the tests, where databases may be created.
const SERVER: &str = "DOYEN_TEST_POSTGRES_URL";

/// The migrations to write for one database.
struct Planned {
    name: &'static str,
    plan: Plan,
}

pub(super) async fn run(built: &Built, diff: MigrateDiff) -> Result<(), Failed> {
    if built.declared_tables().is_empty() {
        return Err("no module declares an entity: add `.entity::<..::Entity>()` to the modules, for each table of the application".into());
    }
    built.tables.check_folders()?;
    let (all, note) = plans(built, &diff).await?;
    let mut notes: Vec<String> = note.into_iter().collect();
    let mut kept: Vec<&String> = all.iter().flat_map(|one| &one.plan.kept).collect();
    kept.sort();
    kept.dedup();
    notes.extend(kept.iter().map(|place| {
        format!("no entity has the column `{place}`, which stays. To drop it: `--drop {place}`")
    }));
    let differences = differences(&all);
    let findings = findings(&all);
    if diff.json {
        let report = json!({
            "differences": differences,
            "notes": notes,
            "migrations": migrations(&all),
            "findings": findings,
        });
        say(&format!("{report:#}"));
    } else {
        say(&text(&differences, &notes));
    }
    if diff.check && !differences.is_empty() {
        return Err("the migrations do not make what the entities declare: run `doyen generate migration <name>`".into());
    }
    Ok(())
}

/// Plans the migrations for each database, and says if one is derived from the other.
async fn plans(
    built: &Built,
    diff: &MigrateDiff,
) -> Result<(Vec<Planned>, Option<String>), Failed> {
    let own = built.tables.application();
    let has_none = own.sqlite.is_empty() && own.postgres.is_empty();
    let (sqlite, postgres) = (
        cfg!(feature = "sqlite") && (has_none || !own.sqlite.is_empty()),
        has_none || !own.postgres.is_empty(),
    );
    let configured = &built.database.options().url;
    let is_postgres = configured.starts_with("postgres");
    let server = diff
        .postgres_url
        .clone()
        .or_else(|| std::env::var(SERVER).ok())
        .or_else(|| is_postgres.then(|| configured.clone()))
        .filter(|_| postgres);
    let on_sqlite = match sqlite {
        true => Some(found(built, Scratch::sqlite().await).await?),
        false => None,
    };
    let on_postgres = match &server {
        Some(url) => Some(found(built, Scratch::postgres(url).await).await?),
        None => None,
    };
    let mut planner = Planner {
        built,
        diff,
        all: Vec::new(),
        faults: Vec::new(),
    };
    let mut note = None;
    if let Some(found) = &on_sqlite {
        planner.add(found, DbBackend::Sqlite, DbBackend::Sqlite);
    }
    match (&on_postgres, &on_sqlite) {
        (Some(found), _) => planner.add(found, DbBackend::Postgres, DbBackend::Postgres),
        (None, Some(found)) if postgres => {
            planner.add(found, DbBackend::Sqlite, DbBackend::Postgres);
            note = Some("no PostgreSQL server is named (`--postgres-url`): its SQL is derived from the difference on SQLite".to_owned());
        }
        (None, None) => return Err("the application has migrations for PostgreSQL alone: name a server with `--postgres-url`".into()),
        (None, Some(_)) => {}
    }
    if !planner.faults.is_empty() {
        planner.faults.sort();
        planner.faults.dedup();
        let faults = planner.faults.iter().map(|fault| format!("\n  - {fault}"));
        let list: String = faults.collect();
        return Err(format!("the difference does not say what to write:{list}").into());
    }
    Ok((planner.all, note))
}

struct Planner<'a> {
    built: &'a Built,
    diff: &'a MigrateDiff,
    all: Vec<Planned>,
    faults: Vec<String>,
}

impl Planner<'_> {
    fn add(&mut self, found: &[FoundTable], on: DbBackend, backend: DbBackend) {
        let tables = self.built.declared_tables();
        let name = match backend {
            DbBackend::Sqlite => "sqlite",
            _ => "postgres",
        };
        match plan(tables, found, on, backend, &self.diff.answers) {
            Ok(plan) => self.all.push(Planned { name, plan }),
            Err(faults) => self.faults.extend(faults),
        }
    }
}

/// Applies all migrations to a scratch database, and returns its tables.
async fn found(
    built: &Built,
    scratch: Result<Scratch, Box<dyn std::error::Error>>,
) -> Result<Vec<FoundTable>, Failed> {
    let scratch = scratch.map_err(|error| {
        let causes = doyen_core::causes(&*error).join(": ");
        format!("no database can be created to apply the migrations to: {causes}")
    })?;
    let done = async {
        let migrator = built.tables.migrator(scratch.database());
        migrator.up().await?;
        let names = built.declared_tables().iter();
        migrator
            .tables(names.map(|table| table.name.as_str()))
            .await
    }
    .await;
    scratch.remove().await;
    Ok(done?)
}

/// What `migrate lint` would say about the migrations.
#[cfg(feature = "migration-lint")]
fn findings(all: &[Planned]) -> Vec<String> {
    use doyen_migration_lint::{File, Scope, lint};

    let files: Vec<File<'_>> = all
        .iter()
        .flat_map(|one| one.plan.drafts.iter().map(move |draft| (one, draft)))
        .map(|(one, draft)| File {
            up: &draft.up,
            down: &draft.down,
            backend: match one.name {
                "sqlite" => DbBackend::Sqlite,
                _ => DbBackend::Postgres,
            },
            path: match suffix(draft.phase) {
                "" => format!("migrations/{}/*", one.name),
                suffix => format!("migrations/{}/*_{suffix}", one.name),
            },
        })
        .collect();
    let findings = lint(&files, Scope::Each);
    findings.iter().map(ToString::to_string).collect()
}

#[cfg(not(feature = "migration-lint"))]
fn findings(_: &[Planned]) -> Vec<String> {
    Vec::new()
}

/// The differences of all databases, each once.
fn differences(all: &[Planned]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for one in all.iter().flat_map(|one| &one.plan.differences) {
        let line = one.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// What the name of a migration ends with.
const fn suffix(phase: Phase) -> &'static str {
    match phase {
        Phase::Expand => "",
        Phase::Online => "indexes",
        Phase::Contract => "drops",
    }
}

/// One object for each phase: its suffix, and the SQL of each database.
fn migrations(all: &[Planned]) -> Vec<Value> {
    let mut migrations = Vec::new();
    for phase in [Phase::Expand, Phase::Online, Phase::Contract] {
        let draft = |one: &Planned| -> Option<Draft> {
            let mut drafts = one.plan.drafts.iter();
            drafts.find(|draft| draft.phase == phase).cloned()
        };
        if !all.iter().any(|one| draft(one).is_some()) {
            continue;
        }
        let mut files = Map::new();
        files.insert("suffix".to_owned(), suffix(phase).into());
        for one in all {
            // A version is in both folders.
            let nothing = "-- Nothing to do on this database.\n".to_owned();
            let (up, down) = draft(one).map_or_else(
                || (nothing.clone(), nothing.clone()),
                |draft| (draft.up, draft.down),
            );
            files.insert(one.name.to_owned(), json!({"up": up, "down": down}));
        }
        migrations.push(Value::Object(files));
    }
    migrations
}

fn text(differences: &[String], notes: &[String]) -> String {
    let mut lines = match differences.is_empty() {
        true => vec!["no difference: the migrations make what the entities declare".to_owned()],
        false => vec!["the migrations do not make what the entities declare:".to_owned()],
    };
    lines.extend(differences.iter().map(|line| format!("  - {line}")));
    lines.extend(notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}
