//! The race: for each round and store all servers stand ready, and each case goes through them one after the other.
//!
//! So two contestants in the same case are measured seconds apart, and what changes on the machine meanwhile meets both. In
//! each round somebody else begins.

use super::cases::{INSERT, Store};
use super::load::Generator;
use super::options::Options;
use super::results::{Results, Sample, Start};
use super::server::{Server, Yard};
use crate::failure::{Context, Failure, Result};

pub(super) fn run(options: &Options, yard: &Yard<'_>, results: &mut Results) -> Result {
    let generator = Generator::new(yard.folder)?;
    for round in 0..options.rounds {
        for store in options.stores() {
            yard.databases.reset(store)?;
            let mut servers = yard.start_all(&options.contestants_on(store), store)?;
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
            lap(options, yard, &generator, (round, store), &servers, results)?;
        }
    }
    Ok(())
}

fn lap(
    options: &Options,
    yard: &Yard<'_>,
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
                yard.databases.reset(store)?;
            }
            let name = server.contestant.name;
            let measured = generator
                .measure(case, server, options.warm_up, options.measured)
                .context(|| format!("{name}, case {}, {}", case.number, store.title()))
                .map_err(|failure| Failure::new(format!("{failure}\n{}", server.said())))?;
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

/// Something for the one who watches, when others are at work on the servers' core.
fn disturbed(share: f64) -> String {
    if share < 0.1 {
        return String::new();
    }
    format!(", DISTURBED: others used {:.0} % of it", share * 100.0)
}
