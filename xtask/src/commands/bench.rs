//! `cargo xtask bench`: what a request costs Doyen, and what it costs others who do the same.
//!
//! `bench/README.md` says what is asked and why it is fair. One run goes through these steps, a file for each:
//!
//! 1. [`options`]: what to race, for how long;
//! 2. set-up ([`crate::setup::for_bench`]) and the release builds ([`contestants`]);
//! 3. [`databases`]: the tables are made and filled, always with the same [`rows`];
//! 4. [`compare`]: every contestant must give byte-identical answers, or there is no race;
//! 5. [`race`]: round by round, [`server`]s pinned to one core, [`load`] on another, [`account`] reads the bill;
//! 6. [`report`] with [`table`], [`goals`] and [`plot`]: tables, verdicts and a picture from the [`results`].
//!
//! Everything that is written lands in `xtask/bench` of the target directory, but the page and the picture in `docs/reference`.

mod account;
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
mod table;

use std::fs::File;

use self::cases::Store;
use self::options::Options;
use self::results::Results;
use crate::failure::{Context, Result};
use crate::{setup, workspace};

/// Every word that it takes.
const TAKES: &str = "[--quick] [--only NAME,..] [--cases 1,3] [--databases postgres,sqlite] [--rounds N] [--seconds S] [--write] [--dry-run]";

pub(super) fn run(args: &[String]) -> Result {
    let options = Options::parse(args)?;
    if options.dry_run {
        print!("{}", options.plan());
        return Ok(());
    }
    machine::needs_two_cores()?;
    let folder = workspace::tools()?.join("bench");
    std::fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
    let turn = File::create(folder.join("lock"))?;
    turn.lock()?;

    let stores = options.stores();
    let python = options
        .contestants
        .iter()
        .any(|contestant| contestant.is_python());
    let tools = setup::for_bench(stores.contains(&Store::Postgres), python)?;
    contestants::build(&options.contestants)?;
    let databases = databases::prepare(&stores, &tools, &folder)?;
    let yard = server::Yard::new(&folder, &tools, &databases, &options.contestants)?;

    compare::all(&options, &yard)?;
    let mut results = Results::new(&options, machine::facts(&options, &tools, &databases)?);
    race::run(&options, &yard, &mut results)?;

    let raw = folder.join("last.json");
    std::fs::write(&raw, results.json()).context(|| format!("writing {}", raw.display()))?;
    println!(
        "\n{}\nraw results: {}",
        report::page(&results),
        raw.display()
    );
    if options.writes() {
        report::write(&results)?;
        println!("written: {} and {}", report::PAGE, plot::PICTURE);
    }
    Ok(())
}
