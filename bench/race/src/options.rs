//! The command line: what to measure, for how long, and the plan that `--dry-run` prints.

use std::fmt::Write;
use std::time::Duration;

use toolkit::{Failure, Result};

use crate::USAGE;
use crate::cases::{CASES, Case, Store};
use crate::contestants::{CONTESTANTS, Contestant};

/// A parsed command line.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) contestants: Vec<&'static Contestant>,
    pub(crate) cases: Vec<&'static Case>,
    databases: Vec<Store>,
    pub(crate) rounds: usize,
    pub(crate) measured: Duration,
    pub(crate) warm_up: Duration,
    quick: bool,
    write: bool,
    pub(crate) dry_run: bool,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let quick = args.iter().any(|arg| arg == "--quick");
        let (seconds, warm_up) = if quick { (0.7, 0.2) } else { (2.0, 0.5) };
        let mut options = Self {
            contestants: CONTESTANTS.iter().collect(),
            cases: CASES.iter().collect(),
            databases: vec![Store::Postgres, Store::Sqlite],
            rounds: if quick { 1 } else { 5 },
            measured: Duration::from_secs_f64(seconds),
            warm_up: Duration::from_secs_f64(warm_up),
            quick,
            write: false,
            dry_run: false,
        };
        let mut words = args.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| Failure::new(format!("`{word}` needs a value")))
            };
            match word {
                "--quick" => {}
                "--write" => options.write = true,
                "--dry-run" => options.dry_run = true,
                "--only" => {
                    options.contestants = choose(value()?, &CONTESTANTS, |one| one.name.into())?;
                }
                "--cases" => {
                    options.cases = choose(value()?, &CASES, |case| case.number.to_string())?;
                }
                "--databases" => {
                    let stores = choose(value()?, &Store::ALL[1..], |store| store.word().into())?;
                    options.databases = stores.into_iter().copied().collect();
                }
                "--rounds" => options.rounds = positive(value()?, |rounds| *rounds > 0)?,
                "--seconds" => {
                    let sane = |seconds: &f64| (0.1..=600.0).contains(seconds);
                    options.measured = Duration::from_secs_f64(positive(value()?, sane)?);
                }
                _ => return Err(Failure::new(format!("`bench` takes {USAGE}, not `{word}`"))),
            }
        }
        Ok(options)
    }

    /// Returns the databases that the chosen cases need.
    pub(crate) fn stores(&self) -> Vec<Store> {
        let wanted = |store: &Store| {
            (*store == Store::None || self.databases.contains(store))
                && self.cases_on(*store).next().is_some()
        };
        Store::ALL.into_iter().filter(wanted).collect()
    }

    pub(crate) fn cases_on(&self, store: Store) -> impl Iterator<Item = &'static Case> {
        self.cases
            .iter()
            .copied()
            .filter(move |case| store.has(case))
    }

    /// Returns the servers that support the cases of this database.
    pub(crate) fn contestants_on(&self, store: Store) -> Vec<&'static Contestant> {
        let supports = |one: &&Contestant| one.data || store == Store::None;
        self.contestants.iter().copied().filter(supports).collect()
    }

    /// Returns true if the page is written: always after a complete run, otherwise only with
    /// `--write`.
    pub(crate) fn writes(&self) -> bool {
        let whole = self.contestants.len() == CONTESTANTS.len()
            && self.cases.len() == CASES.len()
            && self.databases.len() + 1 == Store::ALL.len();
        self.write || whole && !self.quick
    }

    fn measurements(&self) -> usize {
        let on = |store: Store| self.cases_on(store).count() * self.contestants_on(store).len();
        self.rounds * self.stores().into_iter().map(on).sum::<usize>()
    }

    /// Describes the run.
    pub(crate) fn plan(&self) -> String {
        let mut text = String::from("servers:\n");
        for one in &self.contestants {
            let _ = writeln!(text, "  {:17} {}", one.name, one.description());
        }
        for store in self.stores() {
            let _ = writeln!(text, "cases, {}:", store.title());
            for case in self.cases_on(store) {
                let _ = writeln!(
                    text,
                    "  {} {} (bench/wrk/{})",
                    case.number, case.title, case.script
                );
            }
        }
        let count = self.measurements();
        // In addition to the load: starting wrk twice, the lead-in, and starting the servers.
        let each = self.warm_up + self.measured + Duration::from_millis(250);
        let minutes = each.as_secs_f64() * count as f64 / 60.0;
        let _ = writeln!(
            text,
            "{} rounds, {count} measurements of {:.1} s: about {minutes:.0} minutes without builds and starts",
            self.rounds,
            self.measured.as_secs_f64(),
        );
        text
    }
}

/// Returns the elements of `all` that a comma-separated list names, in the order of `all`.
fn choose<T>(
    list: &str,
    all: &'static [T],
    name: impl Fn(&T) -> String,
) -> Result<Vec<&'static T>> {
    let wanted: Vec<&str> = list.split(',').map(str::trim).collect();
    let names: Vec<String> = all.iter().map(&name).collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|word| !names.iter().any(|name| name == *word))
    {
        return Err(Failure::new(format!(
            "`{unknown}` is unknown; use one of: {}",
            names.join(", ")
        )));
    }
    Ok(all
        .iter()
        .filter(|one| wanted.contains(&name(one).as_str()))
        .collect())
}

fn positive<T: std::str::FromStr>(word: &str, sane: impl Fn(&T) -> bool) -> Result<T> {
    let number = word.parse().ok().filter(sane);
    number.ok_or_else(|| Failure::new(format!("`{word}` is not a number in the allowed range")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn only_a_complete_run_writes_the_page() {
        assert!(parse("").unwrap().writes());
        for part in ["--quick", "--only axum", "--cases 1", "--databases sqlite"] {
            assert!(!parse(part).unwrap().writes(), "{part}");
        }
        assert!(parse("--quick --write").unwrap().writes());
    }

    #[test]
    fn only_the_databases_of_the_chosen_cases_are_set_up() {
        assert_eq!(parse("--cases 1,2").unwrap().stores(), [Store::None]);
        assert_eq!(
            parse("--cases 3 --databases sqlite").unwrap().stores(),
            [Store::Sqlite]
        );
        assert_eq!(parse("").unwrap().stores(), Store::ALL);
    }

    #[test]
    fn an_unknown_value_lists_the_known_ones() {
        let failure = parse("--only axum,unknown").unwrap_err().to_string();
        assert!(
            failure.contains("`unknown`") && failure.contains("fastapi"),
            "{failure}"
        );
        for wrong in [
            "--cases 7",
            "--rounds 0",
            "--seconds nan",
            "--seconds",
            "--loud",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
