//! `cargo xtask bench`: compares the cost of a request in Doyen and in other frameworks.
//!
//! `bench/README.md` documents the cases, the options and the method. One run has these steps:
//!
//! 1. [`options`]: parse the command line.
//! 2. [`setup`]: find or install the tools; [`contestants`]: build the servers.
//! 3. [`databases`]: create and fill the databases, always with the same [`rows`].
//! 4. [`compare`]: check that every server gives byte-identical responses.
//! 5. [`race`]: measure in rounds, with the [`server`]s pinned to one core and the [`load`]
//!    generator to another; [`usage`] reads CPU time and memory.
//! 6. [`report`] with [`table`], [`goals`] and [`plot`]: write tables, verdicts and a plot from the
//!    [`results`].
//!
//! All files are written to `xtask/bench` in the target directory, except the page and the plot in
//! `docs/reference`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A command-line tool prints its results.

mod cases;
mod compare;
mod contestants;
mod databases;
mod goals;
mod load;
mod machine;
mod options;
mod plot;
mod race;
mod report;
mod results;
mod rows;
mod server;
mod setup;
mod table;
mod usage;

use std::fs::File;
use std::process::ExitCode;

use toolkit::{Context, Result, workspace};

use self::cases::Store;
use self::options::Options;
use self::results::Results;
use self::server::Launcher;

/// All arguments.
const USAGE: &str = "[--quick] [--only NAME,..] [--cases 1,3] [--databases postgres,sqlite] [--rounds N] [--seconds S] [--write] [--dry-run]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nrace: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result {
    let options = Options::parse(args)?;
    if options.dry_run {
        print!("{}", options.plan());
        return Ok(());
    }
    machine::require_two_cores()?;
    let folder = workspace::tools()?.join("bench");
    std::fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;

    let stores = options.stores();
    let python = options
        .contestants
        .iter()
        .any(|contestant| contestant.is_python());
    let tools = setup::prepare(stores.contains(&Store::Postgres), python)?;
    contestants::build(&options.contestants)?;
    let databases = databases::prepare(&stores, &tools, &folder)?;
    let launcher = Launcher::new(&folder, &tools, &databases, &options.contestants)?;

    compare::all(&options, &launcher)?;
    let mut results = Results::new(&options, machine::facts(&options, &tools, &databases)?);
    race::run(&options, &launcher, &mut results)?;

    let raw = folder.join("last.json");
    std::fs::write(&raw, results.json()).context(|| format!("writing {}", raw.display()))?;
    println!(
        "\n{}\nraw results: {}",
        report::page(&results),
        raw.display()
    );
    if options.writes() {
        report::write(&results)?;
        println!("written: {} and {}", report::PAGE, plot::PLOT);
    }
    Ok(())
}
