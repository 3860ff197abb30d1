//! The attack suite: sends known attacks to a running helpdesk, from outside.
//!
//! `cargo xtask attack <address>` runs it, and so do the tests of the helpdesk.
//!
//! ```text
//! A16  PASS  34 ambiguous framings, each with a second request behind it | 34 × 400, the second
//! one never served
//! ```
//!
//! Each attack prints one line: its id, the outcome, the requests, and the responses. `N/A` gives
//! the reason why the attack does not apply. After each attack the helpdesk must be alive. No
//! response may be a 5xx or contain internals such as a path of a source file.
//!
//! The suite registers customers if registration is open. It also uses the users of the demo data
//! if they can log in, and the user of `--user` and `--password`. Do not run it against data that
//! you want to keep: the tickets and accounts that it creates remain.
//!
//! | file | attacks |
//! | --- | --- |
//! | `tokens` | access tokens: forged, stolen, misplaced |
//! | `sessions` | refresh tokens, cookies |
//! | `logins` | guessing, enumeration, timing |
//! | `access`, `rights` | access to data of other users, escalation of privileges |
//! | `input` | cursors, parameters, headers, SQL |
//! | `text` | JSON, Unicode, paths |
//! | `framing` | requests that two parsers read differently |
//! | `load` | slow, many and large requests |
//! | `pages` | browsers, caches, hosts |
//! | `leaks` | errors, logs, files |
//! | `limits` | rate limits and ways around them |
//! | `races` | concurrent requests |
//! | `absent` | attacks that do not apply to the helpdesk |

mod absent;
mod access;
mod accounts;
mod example;
mod forge;
mod framing;
mod input;
mod leaks;
mod limits;
mod load;
mod logins;
mod options;
mod pages;
mod races;
mod request;
mod rights;
mod sessions;
mod target;
mod text;
mod tokens;
mod verdict;

pub use options::Options;
pub use verdict::{Outcome, Verdict};

use std::fmt;
use std::time::{Duration, Instant};

use toolkit::{Failure, Result};

use self::target::Target;

/// An attack.
struct Attack {
    id: &'static str,
    run: fn(&Target) -> Verdict,
}

/// All attacks in the order they run. Attacks that exhaust limits come last.
fn list() -> Vec<Attack> {
    let families: [&[Attack]; 14] = [
        &tokens::ATTACKS,
        &access::ATTACKS,
        &rights::ATTACKS,
        &input::ATTACKS,
        &text::ATTACKS,
        &framing::ATTACKS,
        &pages::ATTACKS,
        &leaks::ATTACKS,
        &races::ATTACKS,
        &sessions::ATTACKS,
        &load::ATTACKS,
        &logins::ATTACKS,
        &limits::ATTACKS,
        &absent::ATTACKS,
    ];
    families
        .into_iter()
        .flatten()
        .map(|attack| Attack { ..*attack })
        .collect()
}

/// The result of an attack.
#[derive(Clone, Debug)]
pub struct Line {
    /// Id of the attack, such as `A16`.
    pub id: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// Duration.
    pub took: Duration,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { outcome, sent, got } = &self.verdict;
        write!(
            out,
            "{:4} {outcome:4}  {sent} | {got} ({:.1} s)",
            self.id,
            self.took.as_secs_f64()
        )
    }
}

/// Runs the attacks and reports each line as soon as it is known.
///
/// # Errors
///
/// Returns an error if no helpdesk responds at the address, or if an id is unknown.
pub fn attack(options: Options, mut report: impl FnMut(&Line)) -> Result<Vec<Line>> {
    let mut chosen = list();
    if let Some(unknown) = options
        .only
        .iter()
        .find(|only| !chosen.iter().any(|attack| attack.id == **only))
    {
        return Err(Failure::new(format!("there is no attack `{unknown}`")));
    }
    if !options.only.is_empty() {
        chosen.retain(|attack| options.only.iter().any(|only| only == attack.id));
    }
    let target = Target::find(options)?;
    let mut lines = Vec::new();
    for Attack { id, run } in chosen {
        let started = Instant::now();
        let mut verdict = run(&target);
        check_aftermath(&target, &mut verdict);
        let line = Line {
            id,
            verdict,
            took: started.elapsed(),
        };
        report(&line);
        lines.push(line);
    }
    Ok(lines)
}

/// Fails an attack after which the helpdesk is not alive, or which got a forbidden response.
fn check_aftermath(target: &Target, verdict: &mut Verdict) {
    let mut wrong = target.take_faults();
    if !target.is_alive() {
        wrong.push("GET /livez is not 200".into());
    }
    if !wrong.is_empty() {
        wrong.truncate(4);
        verdict.outcome = Outcome::Fail;
        verdict.got = format!("{}; {}", verdict.got, wrong.join(" | "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<&str> = list().iter().map(|attack| attack.id).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn every_attack_of_the_list_is_there_or_says_why_not() {
        let list = list();
        for number in 1..=50 {
            let id = format!("A{number}");
            assert!(list.iter().any(|attack| attack.id == id), "{id}");
        }
    }
}
