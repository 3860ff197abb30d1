//! The command line of an application.

mod config;
mod keys;
mod serve;
mod words;

use std::process::ExitCode;

use doyen_settings::{Environment, Loaded, Loader};

use crate::app::App;
use crate::assemble::{Assembled, Overrides};
use crate::settings::Whole;
use words::{KeysWord, MigrateWord, Word, Words};

/// What a command ends in when it does not succeed: a sentence that says what to do.
type Failed = Box<dyn std::error::Error>;

/// Runs an application: parses the command line and does what it says. Returns 0 when all went well, 1 when it did not, 2 for a command line
/// that is not understood.
pub fn run(app: App) -> ExitCode {
    let words = match Words::parse(&app) {
        Ok(words) => words,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no runtime: {error}")),
    };
    let done = runtime.block_on(obey(app, words));
    // What hangs in a blocking thread must not keep the process from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

async fn obey(app: App, words: Words) -> Result<(), Failed> {
    let name = app.name;
    if let Word::Reference = words.word {
        say(&(app.settings.reference)("APP"));
        return Ok(());
    }
    if let Word::Keys(KeysWord::Generate) = words.word {
        say(doyen_auth::Seed::generate()?.to_text().expose());
        return Ok(());
    }
    if let Word::Openapi | Word::Routes = words.word {
        return describe(app, &words.word).await;
    }
    let loaded = load(&app, Loader::new("APP"))?;
    match words.word {
        Word::Serve => Box::pin(serve::serve(app, loaded)).await,
        Word::Config => {
            say(&config::table(&loaded.report, loaded.environment));
            Ok(())
        }
        Word::Migrate(word) => migrate(&assemble(app, loaded).await?, word).await,
        Word::Own(own, arguments) => {
            let environment = loaded.environment;
            let assembled = assemble(app, loaded).await?;
            assembled.prepare(environment).await?;
            let found = assembled
                .commands
                .iter()
                .chain(&assembled.seed)
                .find(|command| command.name == own);
            let command = found.ok_or_else(|| format!("{name} has no command `{own}`"))?;
            let line = assembled
                .run(command, arguments)
                .await
                .map_err(|error| error.error().to_string())?;
            say(&line);
            assembled.database.close().await;
            Ok(())
        }
        Word::Keys(word) => keys::obey(loaded, word).await,
        Word::Openapi | Word::Routes | Word::Reference => Ok(()),
    }
}

/// Settings from `config/` and the environment. The database of an application is called like the application.
fn load(app: &App, loader: Loader) -> Result<Loaded<Whole>, Failed> {
    let mut loaded = (app.settings.load)(loader.folder("config"))?;
    let url = &mut loaded.value.framework.database.url;
    if url.expose() == "sqlite://data/app.db" {
        let own = format!("sqlite://data/{}.db", app.name);
        if let Some(row) = loaded
            .report
            .iter_mut()
            .find(|row| row.key == "database.url")
        {
            row.value.clone_from(&own);
        }
        *url = own.into();
    }
    Ok(loaded)
}

async fn assemble(app: App, loaded: Loaded<Whole>) -> Result<Assembled, Failed> {
    Ok(app
        .assemble(loaded.value, loaded.environment, Overrides::default())
        .await?)
}

/// The document and the routes need no settings and no database: only a place that forgets.
async fn describe(app: App, word: &Word) -> Result<(), Failed> {
    let place = std::env::temp_dir().join(format!("{}-describe-{}", app.name, std::process::id()));
    let database = place.join("empty.db");
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set("database.url", format!("sqlite://{}", database.display()))
        .set(
            "auth.dev_key_file",
            place.join("dev.key").display().to_string(),
        );
    let loaded = load(&app, loader)?;
    let assembled = assemble(app, loaded).await;
    let text = assembled.as_ref().map(|assembled| match word {
        Word::Openapi => assembled.document.clone(),
        _ => config::routes(assembled.service.operations()),
    });
    let text = text.map_err(ToString::to_string);
    if let Ok(assembled) = &assembled {
        assembled.database.close().await;
    }
    // The place is in the folder for temporary files: left there it would only take a little room.
    let _ = std::fs::remove_dir_all(&place);
    say(text?.trim_end());
    Ok(())
}

async fn migrate(assembled: &Assembled, word: MigrateWord) -> Result<(), Failed> {
    let migrator = assembled.migrator();
    match word {
        MigrateWord::Up => {
            let done = migrator.up().await?;
            say(&format!("{} applied", done.len()));
        }
        MigrateWord::Down { steps } => {
            let done = migrator.down(steps).await?;
            say(&format!("{} taken back", done.len()));
        }
        MigrateWord::Status => say(&config::status(&migrator.status().await?)),
    }
    assembled.database.close().await;
    Ok(())
}

/// The answer of a command goes to standard output; it is what the command is for.
#[allow(clippy::print_stdout, reason = "the answer of a command")]
fn say(text: &str) {
    use std::io::Write as _;
    // A reader that went away (`| head`) is no failure of the command.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn fail(message: &str) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "error: {message}");
    ExitCode::FAILURE
}
