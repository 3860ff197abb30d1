//! The measurement: in each round and on each database, all servers are running, and each case is
//! measured on one server after the other.
//!
//! Two servers are therefore measured seconds apart in the same case, and a change of the machine
//! affects both. Each round starts with a different server.

use toolkit::{Context, Failure, Result};

use crate::cases::{INSERT, Store};
use crate::load::Generator;
use crate::options::Options;
use crate::results::{Results, Sample, Start};
use crate::server::{Launcher, Server};

pub(crate) fn run(options: &Options, launcher: &Launcher<'_>, results: &mut Results) -> Result {
    let generator = Generator::new(launcher.folder)?;
    for round in 0..options.rounds {
        for store in options.stores() {
            launcher.databases.reset(store)?;
            let mut servers = launcher.start_all(&options.contestants_on(store), store)?;
            for server in &servers {
                results.starts.push(Start {
                    contestant: server.contestant.name,
                    store,
                    round,
                    milliseconds: server.started_in.as_secs_f64() * 1e3,
                    idle_kib: server.idle_kib,
                });
            }
            let first = round % servers.len().max(1);
            servers.rotate_left(first);
            run_round(
                options,
                launcher,
                &generator,
                (round, store),
                &servers,
                results,
            )?;
        }
    }
    Ok(())
}

fn run_round(
    options: &Options,
    launcher: &Launcher<'_>,
    generator: &Generator,
    (round, store): (usize, Store),
    servers: &[Server],
    results: &mut Results,
) -> Result {
    for case in options.cases_on(store) {
        println!(
            "round {}/{}, {}, case {}: {}",
            round + 1,
            options.rounds,
            store.title(),
            case.number,
            case.title
        );
        for server in servers {
            if case.number == INSERT {
                launcher.databases.reset(store)?;
            }
            let name = server.contestant.name;
            let measured = generator
                .measure(case, server, options.warm_up, options.measured)
                .context(|| format!("{name}, case {}, {}", case.number, store.title()))
                .map_err(|failure| Failure::new(format!("{failure}\n{}", server.output())))?;
            let sample = Sample::new(name, case.number, store, round, &measured);
            println!(
                "  {name:16} {:>9.2} µs of CPU  {:>8.0} requests/s  {:>3.0} % of the core{}",
                sample.cost,
                sample.requests_per_second,
                sample.share * 100.0,
                disturbed(sample.disturbance),
            );
            results.samples.push(sample);
        }
    }
    Ok(())
}

/// Returns a warning if other processes used the core of the servers.
fn disturbed(share: f64) -> String {
    if share < 0.1 {
        return String::new();
    }
    format!(
        ", DISTURBED: other processes used {:.0} % of it",
        share * 100.0
    )
}
