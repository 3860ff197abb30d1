//! Parses the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command as Clap};

use super::dashboards::{self, Dashboards};
use super::load::{self, Load};
use crate::app::Parts;
use crate::command::{Command, Parameter, Stage};
use crate::entry::Edit;

/// What to do.
pub(super) enum Verb {
    Serve,
    #[cfg(feature = "database")]
    Migrate(MigrateVerb),
    #[cfg(feature = "migration-lint")]
    LintMigrations {
        is_pending: bool,
        json: bool,
    },
    #[cfg(feature = "database")]
    Backup {
        file: PathBuf,
    },
    #[cfg(feature = "database")]
    Restore {
        file: PathBuf,
        replace: bool,
    },
    Routes,
    Openapi {
        version: Option<String>,
    },
    OpenapiDiff {
        old: PathBuf,
        new: Option<PathBuf>,
    },
    Plugins {
        json: bool,
    },
    Dashboards(Dashboards),
    Load(Load),
    Layers {
        folder: PathBuf,
    },
    Config,
    Reference,
    /// A command of a plugin or of the application.
    Own(&'static str, Vec<String>),
}

#[cfg(feature = "database")]
pub(super) enum MigrateVerb {
    Up,
    Down { steps: usize, confirmed: bool },
    Status { check: bool },
    Diff(MigrateDiff),
    Resolve { version: i64, is_applied: bool },
}

/// The arguments of `migrate diff`.
#[cfg(feature = "database")]
#[derive(Default)]
pub(super) struct MigrateDiff {
    pub(super) json: bool,
    pub(super) check: bool,
    pub(super) postgres_url: Option<String>,
    pub(super) answers: doyen_data::schema::Answers,
}

/// What the command line offers, before anything is built.
pub(super) struct Listing {
    name: &'static str,
    about: String,
    version: String,
    commands: Vec<Listed>,
}

struct Listed {
    name: &'static str,
    about: &'static str,
    parameters: Vec<Parameter>,
    stage: Stage,
}

impl Listing {
    pub(super) fn of(parts: &Parts) -> Self {
        let changed = |name: &str| {
            parts.edits.iter().any(|edit| match edit {
                Edit::Replace(entry) => entry.name == name,
                Edit::Without(gone, _) => *gone == name,
            })
        };
        let replacements = parts.edits.iter().filter_map(|edit| match edit {
            Edit::Replace(entry) => Some(&**entry),
            Edit::Without(..) => None,
        });
        let plugins = parts.plugins.iter().filter(|entry| !changed(entry.name));
        let of_plugins = plugins
            .chain(replacements)
            .flat_map(|entry| &entry.manifest.commands);
        let listed = |command: &Command| Listed {
            name: command.name,
            about: command.about,
            parameters: command.parameters.clone(),
            stage: command.stage,
        };
        let description = parts.info.description.lines().next().unwrap_or("a web API");
        Self {
            name: parts.name,
            about: format!("{}: {description}", parts.info.title),
            version: parts.info.version.clone(),
            commands: of_plugins
                .chain(&parts.commands)
                .chain(&parts.seed)
                .map(listed)
                .collect(),
        }
    }

    pub(super) fn stage(&self, name: &str) -> Option<Stage> {
        let command = self.commands.iter().find(|command| command.name == name)?;
        Some(command.stage)
    }
}

/// Parses the command line of the process. Help and mistakes are printed here.
pub(super) fn parse(listing: &Listing) -> Result<Verb, ExitCode> {
    match clap(listing).try_get_matches() {
        Ok(matches) => Ok(verb(listing, &matches)),
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nothing can be done about a closed output.
            let _ = error.print();
            Err(ExitCode::from(code))
        }
    }
}

fn clap(listing: &Listing) -> Clap {
    let config = Clap::new("config")
        .about("Shows every setting with its value and its source; secrets are masked")
        .subcommand(Clap::new("reference").about("Prints a table of all settings, as Markdown"));
    let plugins = Clap::new("plugins")
        .about("Lists the plugins in the order in which they start")
        .arg(flag(
            "json",
            "Prints everything that is known of them, as JSON",
        ));
    let layers = Clap::new("layers")
        .about("Checks the imports between the layers and the domains of the source")
        .arg(
            Arg::new("folder")
                .help("The folder of the application's Cargo.toml")
                .value_parser(clap::value_parser!(PathBuf))
                .default_value("."),
        );
    let all = Clap::new(listing.name)
        .about(listing.about.clone())
        .version(listing.version.clone())
        .subcommand(Clap::new("serve").about("Serves the API; the default"));
    #[cfg(feature = "database")]
    let all = all
        .subcommand(migrate())
        .subcommand(backup())
        .subcommand(restore());
    let all = all
        .subcommand(Clap::new("routes").about("Lists every route and who may call it"))
        .subcommand(openapi())
        .subcommand(config)
        .subcommand(plugins)
        .subcommand(dashboards::clap())
        .subcommand(load::clap())
        .subcommand(layers);
    listing.commands.iter().fold(all, with_own)
}

#[cfg(feature = "database")]
fn migrate() -> Clap {
    let steps = Arg::new("steps")
        .help("Number of migrations")
        .value_parser(clap::value_parser!(u32).range(1..))
        .default_value("1");
    let all = Clap::new("migrate")
        .about("Changes the schema of the database")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Clap::new("up").about("Applies all pending migrations"))
        .subcommand(
            Clap::new("down")
                .about("Reverts the last migrations of the application")
                .arg(steps)
                .arg(flag(
                    "yes",
                    "Does it in `prod` too, where what the migrations added is lost",
                )),
        )
        .subcommand(
            Clap::new("status")
                .about("Lists the migrations and their state, and what differs from the entities")
                .arg(flag(
                    "check",
                    "Fails if a migration is not applied, or if the database differs from the entities",
                )),
        )
        .subcommand(diff())
        .subcommand(resolve());
    #[cfg(feature = "migration-lint")]
    let all = all.subcommand(
        Clap::new("lint")
            .about("Finds migrations that block or break an application that runs; fails if there are any")
            .arg(flag(
                "pending",
                "Reads only those that the database does not have yet, as `migrate up` does in `prod`",
            ))
            .arg(flag("json", "Prints the findings as JSON")),
    );
    all
}

#[cfg(feature = "database")]
fn diff() -> Clap {
    let answer = |name: &'static str, value: &'static str, help: &'static str| {
        let answer = Arg::new(name).long(name).value_name(value).help(help);
        answer.action(ArgAction::Append)
    };
    Clap::new("diff")
        .about("Compares the entities with the migrations, on a database that is created for it")
        .long_about(
            "Compares the tables that the entities declare with those that all migrations make. The \
             migrations are applied to a new database, which is removed afterwards. `doyen generate \
             migration` writes the migration of the difference.",
        )
        .arg(flag("check", "Fails if there is a difference"))
        .arg(flag("json", "Prints the SQL of the missing migrations, as JSON"))
        .arg(
            Arg::new("postgres-url")
                .long("postgres-url")
                .value_name("URL")
                .help(
                    "A PostgreSQL server where a database may be created; the environment variable \
                     DOYEN_TEST_POSTGRES_URL if not given",
                ),
        )
        .arg(answer("rename", "TABLE.OLD=NEW", "A column that has a new name"))
        .arg(answer("drop", "TABLE.COLUMN", "A column to drop"))
        .arg(answer("keep", "TABLE.COLUMN", "A column that stays without a field"))
        .arg(answer(
            "default",
            "TABLE.COLUMN=VALUE",
            "The value of a column in the rows that exist",
        ))
        .after_help(
            "Examples:\n  migrate diff --check\n  migrate diff --json --rename orders.name=title",
        )
}

/// Reads the arguments of `migrate diff`. Those with `=` are two parts.
#[cfg(feature = "database")]
fn diff_of(matches: &ArgMatches) -> MigrateDiff {
    let all = |name: &str| -> Vec<String> {
        let values = matches.get_many::<String>(name);
        values.into_iter().flatten().cloned().collect()
    };
    let pairs = |name: &str| -> Vec<(String, String)> {
        let values = all(name).into_iter();
        // A value without `=` names no column, which the comparison reports.
        let pairs = values.map(|value| match value.split_once('=') {
            Some((place, value)) => (place.to_owned(), value.to_owned()),
            None => (value, String::new()),
        });
        pairs.collect()
    };
    MigrateDiff {
        json: matches.get_flag("json"),
        check: matches.get_flag("check"),
        postgres_url: matches.get_one("postgres-url").cloned(),
        answers: doyen_data::schema::Answers {
            renames: pairs("rename"),
            drops: all("drop"),
            keeps: all("keep"),
            defaults: pairs("default"),
        },
    }
}

#[cfg(feature = "database")]
fn backup() -> Clap {
    Clap::new("backup")
        .about("Writes a backup of the database to a new file; the application may run meanwhile")
        .arg(
            Arg::new("file")
                .required(true)
                .help("The file of the backup")
                .value_parser(clap::value_parser!(PathBuf)),
        )
}

#[cfg(feature = "database")]
fn restore() -> Clap {
    Clap::new("restore")
        .about("Restores a backup of the database; the application must not run")
        .arg(
            Arg::new("file")
                .required(true)
                .help("The file of the backup")
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(flag("replace", "Replaces a database that has tables"))
}

fn openapi() -> Clap {
    let file = |name: &'static str, help: &'static str| {
        let file = Arg::new(name).help(help);
        file.value_parser(clap::value_parser!(PathBuf))
    };
    let version = Arg::new("api-version")
        .long("api-version")
        .help("The version of the API; the newest if not given");
    Clap::new("openapi")
        .about("Prints the OpenAPI document")
        .arg(version)
        .subcommand(
            Clap::new("diff")
                .about("Lists the changes between two documents; fails if one breaks clients")
                .arg(file("old", "The older document").required(true))
                .arg(file(
                    "new",
                    "The newer document; that of the application if not given",
                )),
        )
}

#[cfg(feature = "database")]
fn resolve() -> Clap {
    Clap::new("resolve")
        .about("Records a migration that stopped half-way, once you have completed or undone it")
        .arg(
            Arg::new("version")
                .required(true)
                .help("The version of the migration")
                .value_parser(clap::value_parser!(i64)),
        )
        .arg(
            Arg::new("state")
                .required(true)
                .help("The state that the schema is in now")
                .value_parser(["applied", "pending"]),
        )
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// Adds a command. One of two words is below the first word.
fn with_own(all: Clap, own: &Listed) -> Clap {
    let arguments = own.parameters.iter().map(|parameter| {
        if parameter.is_flag {
            flag(parameter.name, parameter.help)
        } else {
            let name = parameter.name;
            let help = match parameter.help {
                "" => format!("The {name}"),
                help => help.to_owned(),
            };
            Arg::new(name).required(!parameter.is_optional).help(help)
        }
    });
    let Some((first, second)) = own.name.split_once(' ') else {
        return all.subcommand(Clap::new(own.name).about(own.about).args(arguments));
    };
    let inner = Clap::new(second).about(own.about).args(arguments);
    if all.find_subcommand(first).is_some() {
        return all.mut_subcommand(first, |outer| outer.subcommand(inner));
    }
    all.subcommand(
        Clap::new(first)
            .about(format!("Commands for `{first}`"))
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand(inner),
    )
}

fn verb(listing: &Listing, matches: &ArgMatches) -> Verb {
    let Some((name, inner)) = matches.subcommand() else {
        return Verb::Serve;
    };
    match (name, inner.subcommand()) {
        #[cfg(feature = "database")]
        ("migrate", Some(("down", down))) => {
            let steps = down.get_one::<u32>("steps");
            Verb::Migrate(MigrateVerb::Down {
                steps: steps.map_or(1, |steps| *steps as usize),
                confirmed: down.get_flag("yes"),
            })
        }
        #[cfg(feature = "database")]
        ("migrate", Some(("up", _))) => Verb::Migrate(MigrateVerb::Up),
        #[cfg(feature = "migration-lint")]
        ("migrate", Some(("lint", lint))) => Verb::LintMigrations {
            is_pending: lint.get_flag("pending"),
            json: lint.get_flag("json"),
        },
        #[cfg(feature = "database")]
        ("migrate", Some(("resolve", resolve))) => Verb::Migrate(MigrateVerb::Resolve {
            version: resolve.get_one("version").copied().unwrap_or_default(),
            is_applied: resolve
                .get_one::<String>("state")
                .is_some_and(|state| state == "applied"),
        }),
        #[cfg(feature = "database")]
        ("migrate", Some(("diff", diff))) => Verb::Migrate(MigrateVerb::Diff(diff_of(diff))),
        #[cfg(feature = "database")]
        ("migrate", second) => Verb::Migrate(MigrateVerb::Status {
            check: second.is_some_and(|(_, status)| status.get_flag("check")),
        }),
        #[cfg(feature = "database")]
        ("backup", _) => Verb::Backup {
            file: inner.get_one("file").cloned().unwrap_or_default(),
        },
        #[cfg(feature = "database")]
        ("restore", _) => Verb::Restore {
            file: inner.get_one("file").cloned().unwrap_or_default(),
            replace: inner.get_flag("replace"),
        },
        ("routes", _) => Verb::Routes,
        ("openapi", Some((_, diff))) => Verb::OpenapiDiff {
            old: diff.get_one("old").cloned().unwrap_or_default(),
            new: diff.get_one("new").cloned(),
        },
        ("openapi", None) => Verb::Openapi {
            version: inner.get_one("api-version").cloned(),
        },
        ("config", Some(_)) => Verb::Reference,
        ("config", None) => Verb::Config,
        ("dashboards", _) => Verb::Dashboards(dashboards::parse(inner)),
        ("load", _) => Verb::Load(load::parse(inner)),
        ("layers", _) => Verb::Layers {
            folder: inner.get_one("folder").cloned().unwrap_or_default(),
        },
        ("plugins", _) => Verb::Plugins {
            json: inner.get_flag("json"),
        },
        (_, second) => own(listing, name, inner, second).unwrap_or(Verb::Serve),
    }
}

fn own(
    listing: &Listing,
    name: &str,
    inner: &ArgMatches,
    second: Option<(&str, &ArgMatches)>,
) -> Option<Verb> {
    let (whole, values) = match second {
        Some((second, values)) => (format!("{name} {second}"), values),
        None => (name.to_owned(), inner),
    };
    let command = listing
        .commands
        .iter()
        .find(|command| command.name == whole)?;
    let arguments = command.parameters.iter().filter_map(|parameter| {
        if parameter.is_flag {
            Some(values.get_flag(parameter.name).to_string())
        } else {
            let value = values.get_one::<String>(parameter.name).cloned();
            value.or_else(|| parameter.is_optional.then(String::new))
        }
    });
    Some(Verb::Own(command.name, arguments.collect()))
}
