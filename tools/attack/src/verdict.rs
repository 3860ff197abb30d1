//! What an attack came to, and how its many requests are counted into one line.

use std::collections::BTreeMap;
use std::fmt;

use toolkit::http::Response;

/// What an attack came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It had no effect.
    Pass,
    /// It had one.
    Fail,
    /// It has nothing to attack here, or can not be made from outside.
    NotApplicable,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::NotApplicable => "N/A",
        })
    }
}

/// An attack's line of the report.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What it came to.
    pub outcome: Outcome,
    /// What was sent.
    pub sent: String,
    /// What came back; for `N/A`, why.
    pub got: String,
}

impl Verdict {
    /// Nothing was attacked, for this reason.
    pub(crate) fn not_applicable(why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::NotApplicable,
            sent: "nothing".into(),
            got: why.into(),
        }
    }
}

/// Counts what came back, and keeps what should not have.
pub(crate) struct Tally {
    sent: String,
    statuses: BTreeMap<u16, usize>,
    wrong: Vec<String>,
    notes: Vec<String>,
}

/// So many of the wrong answers are shown.
const SHOWN: usize = 4;

impl Tally {
    /// Of an attack that sends this.
    pub(crate) fn new(sent: impl Into<String>) -> Self {
        Self {
            sent: sent.into(),
            statuses: BTreeMap::new(),
            wrong: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Counts an answer. It is wrong when `good` is false.
    pub(crate) fn want(&mut self, good: bool, what: impl fmt::Display, response: &Response) {
        *self.statuses.entry(response.status).or_default() += 1;
        if !good {
            self.wrong.push(format!("{what} → {}", response.summary()));
        }
    }

    /// Counts an answer that should be a refusal: 4xx.
    pub(crate) fn want_refusal(&mut self, what: impl fmt::Display, response: &Response) {
        self.want(response.is_refusal(), what, response);
    }

    /// Counts an answer that should have one of these statuses.
    pub(crate) fn want_status(
        &mut self,
        among: &[u16],
        what: impl fmt::Display,
        response: &Response,
    ) {
        self.want(among.contains(&response.status), what, response);
    }

    /// Something else that should hold.
    pub(crate) fn hold(&mut self, good: bool, otherwise: impl fmt::Display) {
        if !good {
            self.wrong.push(otherwise.to_string());
        }
    }

    /// Something to tell beside the statuses.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn verdict(self) -> Verdict {
        let counts = self.statuses.iter().map(|(status, count)| match status {
            0 => format!("{count} × closed"),
            status => format!("{count} × {status}"),
        });
        let told: Vec<String> = counts.chain(self.notes).collect();
        let mut got = told.join(", ");
        let outcome = if self.wrong.is_empty() {
            Outcome::Pass
        } else {
            Outcome::Fail
        };
        if !self.wrong.is_empty() {
            let shown: Vec<&str> = self.wrong.iter().take(SHOWN).map(String::as_str).collect();
            got = format!("{got}; {} wrong: {}", self.wrong.len(), shown.join(" | "));
        }
        Verdict {
            outcome,
            sent: self.sent,
            got,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_answer_among_good_ones_is_a_failure_that_names_it() {
        let refused = Response {
            status: 401,
            ..Response::default()
        };
        let served = Response {
            status: 200,
            body: b"{}".to_vec(),
            ..Response::default()
        };
        let mut tally = Tally::new("forged tokens");
        tally.want_refusal("none", &refused);
        tally.want_refusal("HS256", &served);
        let verdict = tally.verdict();
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.got, "1 × 200, 1 × 401; 1 wrong: HS256 → 200 {}");
    }

    #[test]
    fn no_wrong_answer_is_a_pass() {
        let mut tally = Tally::new("x");
        tally.want_refusal(
            "y",
            &Response {
                status: 404,
                ..Response::default()
            },
        );
        assert_eq!(tally.verdict().outcome, Outcome::Pass);
    }
}
