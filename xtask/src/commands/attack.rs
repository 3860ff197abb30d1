//! `cargo xtask attack <address>`: the attack list, run from outside against any helpdesk that listens.
//!
//! ```text
//! A16  PASS  34 ambiguous framings, each with a second request behind it | 34 × 400, the second one never served
//! ```
//!
//! A line an attack: its id, what it came to, what was sent, what came back. `N/A` says why there was nothing to attack. After each
//! attack the helpdesk must live, and no answer to it may have been a 5xx or have told of the inside.
//!
//! It makes customers of its own where registration is open, uses those of the demo data where they log in, and else whom `--user`
//! and `--password` name. Do not run it against data that you want to keep: what an attack opens stays.
//!
//! | file | attacks |
//! | --- | --- |
//! | `tokens` | access tokens: forged, stolen, sent in wrong ways |
//! | `sessions` | refresh tokens, cookies |
//! | `logins` | guessing, enumeration, timing |
//! | `access`, `rights` | other people's things, other people's rights |
//! | `input` | cursors, parameters, header fields, SQL |
//! | `text` | JSON, unicode, paths |
//! | `framing` | requests that two readers read differently |
//! | `load` | slow, many, big |
//! | `pages` | browsers, caches, hosts |
//! | `leaks` | errors, logs, what lies about |
//! | `limits` | what is counted and how to get around it |
//! | `races` | many at once |
//! | `absent` | what there is nothing of here to attack |

mod absent;
mod access;
mod ask;
mod example;
mod forge;
mod framing;
mod input;
mod leaks;
mod limits;
mod load;
mod logins;
mod pages;
mod people;
mod races;
mod rights;
mod sessions;
mod target;
mod text;
mod tokens;
mod verdict;
mod wire;

pub use verdict::{Outcome, Verdict};

use std::fmt;
use std::time::{Duration, Instant};

use self::target::Target;
use crate::failure::{Failure, Result};
use crate::steps::seconds;

/// What to attack, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where it listens: `http://127.0.0.1:8000`.
    pub base: String,
    /// Somebody with an account there: address and password.
    pub credentials: Option<(String, String)>,
    /// Only the attacks with these ids.
    pub only: Vec<String>,
    /// Without what takes long: timing, and waiting for slow connections to be closed.
    pub quick: bool,
}

/// One attack of the list.
struct Attack {
    id: &'static str,
    run: fn(&Target) -> Verdict,
}

/// The list, in the order it is run: what uses up limits comes last.
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

/// An attack that was run.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its id in the list.
    pub id: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { outcome, sent, got } = &self.verdict;
        write!(
            out,
            "{:4} {outcome:4}  {sent} | {got} ({})",
            self.id,
            seconds(self.took)
        )
    }
}

/// Runs the list and hands over each line as it is known.
///
/// # Errors
///
/// Nothing lives there, or no attack has such an id.
pub fn attack(options: Options, mut tell: impl FnMut(&Line)) -> Result<Vec<Line>> {
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
        after(&target, &mut verdict);
        let line = Line {
            id,
            verdict,
            took: started.elapsed(),
        };
        tell(&line);
        lines.push(line);
    }
    Ok(lines)
}

/// What holds after every attack.
fn after(target: &Target, verdict: &mut Verdict) {
    let mut wrong = target.take_faults();
    if !target.lives() {
        wrong.push("GET /livez is not 200".into());
    }
    if !wrong.is_empty() {
        wrong.truncate(4);
        verdict.outcome = Outcome::Fail;
        verdict.got = format!("{}; {}", verdict.got, wrong.join(" | "));
    }
}

/// The command.
pub(super) fn run(args: &[String]) -> Result {
    let options = options(args)?;
    let lines = attack(options, |line| println!("{line}"))?;
    let count = |outcome| {
        lines
            .iter()
            .filter(|line| line.verdict.outcome == outcome)
            .count()
    };
    let (passed, failed) = (count(Outcome::Pass), count(Outcome::Fail));
    println!(
        "{} attacks: {passed} passed, {failed} failed, {} not applicable",
        lines.len(),
        count(Outcome::NotApplicable)
    );
    match failed {
        0 if passed == 0 => Err(Failure::new("no attack was made")),
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} attacks had an effect"))),
    }
}

fn options(args: &[String]) -> Result<Options> {
    const USE: &str = "use `attack http://host:port [--user <address> --password <password>] [--only A1,A16] [--quick]`";
    let mut options = Options::default();
    let (mut user, mut password) = (None, None);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .cloned()
                .ok_or_else(|| Failure::new(format!("`{word}` needs a value; {USE}")))
        };
        match word.as_str() {
            "--user" => user = Some(value()?),
            "--password" => password = Some(value()?),
            "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
            "--quick" => options.quick = true,
            base if !base.starts_with('-') && options.base.is_empty() => {
                options.base = base.to_owned()
            }
            other => return Err(Failure::new(format!("`{other}` is not understood; {USE}"))),
        }
    }
    options.credentials = user.zip(password);
    if options.base.is_empty() {
        Err(Failure::new(USE))
    } else {
        Ok(options)
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

    #[test]
    fn the_command_line_is_read() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let read = options(&words(
            "http://x:1 --only A1,A2 --user a@b --password c --quick",
        ))
        .unwrap();
        assert_eq!((read.base.as_str(), read.quick), ("http://x:1", true));
        assert_eq!(read.only, ["A1", "A2"]);
        assert_eq!(read.credentials, Some(("a@b".into(), "c".into())));
        assert!(options(&[]).is_err());
        assert!(options(&words("http://x:1 --only")).is_err());
        assert!(options(&words("http://x:1 --what")).is_err());
    }
}
