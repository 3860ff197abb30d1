//! What stands on the command line.

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::app::App;

/// A command line that was understood.
pub(super) struct Words {
    pub(super) word: Word,
}

/// What to do.
pub(super) enum Word {
    Serve,
    Migrate(MigrateWord),
    Routes,
    Openapi,
    Config,
    Reference,
    Keys(KeysWord),
    /// A command of the application.
    Own(&'static str, Vec<String>),
}

pub(super) enum MigrateWord {
    Up,
    Down { steps: usize },
    Status,
}

pub(super) enum KeysWord {
    Generate,
    List,
    Rotate { early: bool },
    Drop { number: u32 },
    Reset,
}

impl Words {
    /// Reads the command line of the process. Help and mistakes are printed here.
    pub(super) fn parse(app: &App) -> Result<Self, ExitCode> {
        let matches = match command(app).try_get_matches() {
            Ok(matches) => matches,
            Err(error) => {
                let code = if error.use_stderr() { 2 } else { 0 };
                // Nothing can be done about an output that is closed.
                let _ = error.print();
                return Err(ExitCode::from(code));
            }
        };
        Ok(Self {
            word: word(app, &matches),
        })
    }
}

fn command(app: &App) -> Command {
    let migrate = Command::new("migrate")
        .about("Changes the schema of the database")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("up").about("Applies every pending migration"))
        .subcommand(
            Command::new("down")
                .about("Takes the last migrations back")
                .arg(
                    clap::Arg::new("steps")
                        .help("How many")
                        .value_parser(clap::value_parser!(u32).range(1..))
                        .default_value("1"),
                ),
        )
        .subcommand(Command::new("status").about("Lists the migrations and how they stand"));
    let keys = Command::new("keys")
        .about("Signing keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("generate").about("Prints a new signing key for APP_AUTH__SIGNING_KEY"),
        )
        .subcommand(Command::new("list").about("Lists the keys and how they stand"))
        .subcommand(
            Command::new("rotate")
                .about("Signs with the next key and publishes a new next one")
                .arg(
                    clap::Arg::new("force")
                        .long("force")
                        .action(clap::ArgAction::SetTrue)
                        .help("Even if caches of the public keys may not have the next one yet"),
                ),
        )
        .subcommand(
            Command::new("drop")
                .about("Refuses a retired key at once, and every token it signed")
                .arg(
                    clap::Arg::new("number")
                        .required(true)
                        .help("Its number, as `keys list` shows it")
                        .value_parser(clap::value_parser!(u32)),
                ),
        )
        .subcommand(
            Command::new("reset").about("Drops all keys and begins anew: every access token ends"),
        );
    let config = Command::new("config")
        .about("Shows every setting with its value and where it came from; secrets are masked")
        .subcommand(Command::new("reference").about("Prints a table of all settings, as Markdown"));
    let mut all = Command::new(app.name)
        .about(format!(
            "{}: {}",
            app.info.title,
            app.info.description.lines().next().unwrap_or("a web API")
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand(Command::new("serve").about("Serves the API; the default"))
        .subcommand(migrate)
        .subcommand(Command::new("routes").about("Lists every route and who may call it"))
        .subcommand(Command::new("openapi").about("Prints the OpenAPI document"))
        .subcommand(config)
        .subcommand(keys);
    for own in app.commands.iter().chain(&app.seed) {
        let (first, second) = own
            .name
            .split_once(' ')
            .map_or((own.name, None), |(first, second)| (first, Some(second)));
        let arguments = own.arguments.iter().map(|name| {
            clap::Arg::new(*name)
                .required(true)
                .help(format!("The {name}"))
        });
        all = match second {
            None => all.subcommand(Command::new(first).about(own.about).args(arguments)),
            Some(second) => {
                let inner = Command::new(second).about(own.about).args(arguments);
                all.subcommand(
                    Command::new(first)
                        .about(own.about)
                        .subcommand_required(true)
                        .arg_required_else_help(true)
                        .subcommand(inner),
                )
            }
        };
    }
    all
}

fn word(app: &App, matches: &ArgMatches) -> Word {
    let Some((name, inner)) = matches.subcommand() else {
        return Word::Serve;
    };
    match (name, inner.subcommand()) {
        ("migrate", Some(("down", steps))) => Word::Migrate(MigrateWord::Down {
            steps: steps
                .get_one::<u32>("steps")
                .map_or(1, |steps| *steps as usize),
        }),
        ("migrate", Some(("up", _))) => Word::Migrate(MigrateWord::Up),
        ("migrate", _) => Word::Migrate(MigrateWord::Status),
        ("routes", _) => Word::Routes,
        ("openapi", _) => Word::Openapi,
        ("config", Some(_)) => Word::Reference,
        ("config", None) => Word::Config,
        ("keys", Some(("list", _))) => Word::Keys(KeysWord::List),
        ("keys", Some(("rotate", how))) => Word::Keys(KeysWord::Rotate {
            early: how.get_flag("force"),
        }),
        ("keys", Some(("drop", which))) => Word::Keys(KeysWord::Drop {
            number: which.get_one::<u32>("number").copied().unwrap_or_default(),
        }),
        ("keys", Some(("reset", _))) => Word::Keys(KeysWord::Reset),
        ("keys", _) => Word::Keys(KeysWord::Generate),
        (_, second) => own(app, name, inner, second).unwrap_or(Word::Serve),
    }
}

fn own(
    app: &App,
    name: &str,
    inner: &ArgMatches,
    second: Option<(&str, &ArgMatches)>,
) -> Option<Word> {
    let (whole, values) = match second {
        Some((second, values)) => (format!("{name} {second}"), values),
        None => (name.to_owned(), inner),
    };
    let command = app
        .commands
        .iter()
        .chain(&app.seed)
        .find(|command| command.name == whole)?;
    let arguments = command
        .arguments
        .iter()
        .filter_map(|name| values.get_one::<String>(name).cloned());
    Some(Word::Own(command.name, arguments.collect()))
}
