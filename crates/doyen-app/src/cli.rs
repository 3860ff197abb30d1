//! The command line of an application.

mod args;
#[cfg(feature = "database")]
mod backup;
mod dashboards;
mod load;
#[cfg(feature = "database")]
mod migrate;
#[cfg(feature = "database")]
mod migrate_diff;
mod openapi;
mod tables;

use std::path::Path;
use std::process::ExitCode;

use doyen_settings::{Environment, Loader};

use crate::app::Parts;
use crate::build::{self, Overrides, Purpose};
use crate::command::Stage;
use crate::fault::Fault;
use crate::runtime::Background;
use crate::{App, Built, Command, Defaults, entry, settings_union};
use args::{Listing, Verb};
pub use tables::align;

/// Why a command failed: a sentence that says what to do.
pub(crate) type Failed = Box<dyn std::error::Error>;

/// The prefix of all environment variables.
const PREFIX: &str = "APP";

/// Runs an application: parses the command line and executes the command. Returns 0 after success,
/// 1 after an error, and 2 for an invalid command line.
pub fn run<D: Defaults>(app: App<D>) -> ExitCode {
    let verb = match args::parse(&Listing::of(&app.parts)) {
        Ok(verb) => verb,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(&Fault::new(format!(
                "the runtime cannot be started: {error}"
            )));
        }
    };
    let done = runtime.block_on(execute(app.parts, verb));
    // A blocked thread must not keep the process from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

async fn execute(parts: Parts, verb: Verb) -> Result<(), Failed> {
    match verb {
        Verb::Serve => Box::pin(crate::serve::serve(configured(parts)?)).await,
        #[cfg(feature = "migration-lint")]
        Verb::LintMigrations { is_pending, json } => migrate::lint(parts, is_pending, json).await,
        #[cfg(feature = "database")]
        Verb::Migrate(verb) => migrate::run(for_command(parts)?, verb).await,
        #[cfg(feature = "database")]
        Verb::Backup { file } => backup::write(&for_command(parts)?, &file).await,
        #[cfg(feature = "database")]
        Verb::Restore { file, replace } => {
            backup::restore(&for_command(parts)?, &file, replace).await
        }
        Verb::Openapi { version } => openapi::print(&described(parts)?, version.as_deref()),
        Verb::OpenapiDiff { old, new } => openapi::diff(&old, new.as_deref(), || described(parts)),
        Verb::Routes => {
            say(&tables::routes(described(parts)?.service().operations()));
            Ok(())
        }
        Verb::Plugins { json } => {
            let built = described(parts)?;
            match json {
                true => say(&format!("{:#}", built.plugins().to_json())),
                false => say(&tables::plugins(built.plugins())),
            }
            Ok(())
        }
        Verb::Dashboards(arguments) => dashboards::run(&inspected(parts)?, arguments),
        Verb::Load(arguments) => load::run(&described(parts)?, arguments),
        Verb::Layers { folder } => layers(&folder),
        Verb::Config => config(parts),
        Verb::Reference => {
            let entries = entry::sort(parts.plugins, parts.edits).entries;
            let keys = settings_union::keys(&entries, parts.settings);
            say(&doyen_settings::reference_of(&keys, PREFIX));
            Ok(())
        }
        Verb::Own(name, arguments) => own(parts, name, arguments).await,
    }
}

fn loader() -> Loader {
    Loader::new(PREFIX).folder("config")
}

/// The application with the settings of this process.
fn configured(parts: Parts) -> Result<Built, Failed> {
    Ok(build::build(
        parts,
        loader(),
        Overrides::default(),
        Purpose::Run,
    )?)
}

/// The same for a command, which has no log.
fn for_command(parts: Parts) -> Result<Built, Failed> {
    let built = configured(parts)?;
    warn(&built.warnings);
    Ok(built)
}

/// The application as it is described: with the settings of a test, whatever the environment
/// variables are, and without a root secret.
fn described(parts: Parts) -> Result<Built, Failed> {
    let loader = loader()
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test);
    Ok(build::build(
        parts,
        loader,
        Overrides::default(),
        Purpose::Describe,
    )?)
}

/// The application with the settings of this process, which decide what it has. No root secret is
/// needed.
fn inspected(parts: Parts) -> Result<Built, Failed> {
    let built = build::build(parts, loader(), Overrides::default(), Purpose::Describe)?;
    warn(&built.warnings);
    Ok(built)
}

/// Checks the imports of the source.
fn layers(folder: &Path) -> Result<(), Failed> {
    let report = doyen_layers::check(folder)?;
    if report.findings.is_empty() {
        let domains = report.domains.join(", ");
        say(&format!("{} modules, domains: {domains}", report.modules));
        return Ok(());
    }
    let findings = report.findings.iter();
    let lines: Vec<String> = findings.map(|finding| format!("\n  - {finding}")).collect();
    Err(format!("imports that break a rule:{}", lines.concat()).into())
}

/// Shows the settings.
fn config(parts: Parts) -> Result<(), Failed> {
    let mut sorted = entry::sort(parts.plugins, parts.edits);
    let loader = settings_union::absent(loader(), parts.absent, &sorted.absent, &sorted.entries);
    let (settled, faults) = settings_union::read(loader, &mut sorted.entries, parts.settings)?;
    warn(&settled.warnings);
    let mut report = settled.report;
    match settled.core {
        Some(mut core) if faults.is_empty() => {
            core.settle(parts.name, &mut report);
            #[cfg(feature = "database")]
            core.show_database(&mut report);
        }
        _ => return Err(doyen_settings::SettingsError { faults }.into()),
    }
    say(&tables::settings(&report, settled.environment));
    Ok(())
}

/// Runs a command of a plugin or of the application.
async fn own(parts: Parts, name: &'static str, arguments: Vec<String>) -> Result<(), Failed> {
    let stage = Listing::of(&parts).stage(name);
    let built = match stage {
        Some(Stage::Checked) => described(parts)?,
        _ => for_command(parts)?,
    };
    let is_seed = built.seed().is_some_and(|seed| seed.name == name);
    if is_seed && built.info.environment.is_prod() {
        return Err("`seed` writes demo data, whose passwords are public, and `prod` refuses it. Use APP_ENV=dev or APP_ENV=test".into());
    }
    let done = match stage {
        Some(Stage::Started) => {
            built.connect().await?;
            let runtime = built
                .start_until(std::future::pending(), Background::Services)
                .await?;
            let done = call(&runtime, name, arguments).await;
            runtime.stop().await;
            done
        }
        Some(Stage::Connected) => {
            built.connect().await?;
            let done = call(&built, name, arguments).await;
            built.close().await;
            done
        }
        _ => call(&built, name, arguments).await,
    };
    say(&done?);
    Ok(())
}

async fn call(built: &Built, name: &str, arguments: Vec<String>) -> Result<String, Failed> {
    let done = match built.seed().filter(|seed| seed.name == name) {
        Some(seed) => built.run_seed(seed, arguments).await,
        None => {
            let mut all = built.commands().iter();
            let command: &Command = all
                .find(|command| command.name == name)
                .ok_or_else(|| format!("there is no command `{name}`"))?;
            built.run(command, arguments).await
        }
    };
    Ok(done.map_err(|error| crate::command::text(&error))?)
}

/// Prints the output of a command.
#[allow(clippy::print_stdout, reason = "the output of a command")]
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    // A closed reader (`| head`) is no failure of the command.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints the error and its causes.
fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    use std::io::Write as _;
    let text = doyen_core::causes(error).join("\n  caused by: ");
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
    ExitCode::FAILURE
}

fn warn(warnings: &[impl std::fmt::Display]) {
    use std::io::Write as _;
    for warning in warnings {
        let _ = writeln!(std::io::stderr().lock(), "warning: {warning}");
    }
}
