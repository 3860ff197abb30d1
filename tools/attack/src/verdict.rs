//! The verdict of an attack, and the tally of its requests.

use std::collections::BTreeMap;
use std::fmt;

use toolkit::http::Response;

/// Outcome of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The attack had no effect.
    Pass,
    /// The attack had an effect.
    Fail,
    /// The attack does not apply, or is impossible from outside.
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

/// The line of an attack in the report.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Outcome.
    pub outcome: Outcome,
    /// Description of the requests.
    pub sent: String,
    /// Description of the responses; for `N/A`, the reason.
    pub got: String,
}

impl Verdict {
    /// Returns the verdict of an attack that does not apply.
    pub(crate) fn not_applicable(why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::NotApplicable,
            sent: "nothing".into(),
            got: why.into(),
        }
    }
}

/// Counts the responses of an attack and collects the unexpected ones.
pub(crate) struct Tally {
    sent: String,
    statuses: BTreeMap<u16, usize>,
    wrong: Vec<String>,
    notes: Vec<String>,
}

/// Maximum number of unexpected responses in the report.
const MAX_SHOWN: usize = 4;

impl Tally {
    /// Starts the tally of an attack with this description.
    pub(crate) fn new(sent: impl Into<String>) -> Self {
        Self {
            sent: sent.into(),
            statuses: BTreeMap::new(),
            wrong: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Counts a response, which is unexpected if `good` is false.
    pub(crate) fn expect(&mut self, good: bool, what: impl fmt::Display, response: &Response) {
        *self.statuses.entry(response.status).or_default() += 1;
        if !good {
            self.wrong.push(format!("{what} → {}", response.summary()));
        }
    }

    /// Counts a response that should be a 4xx.
    pub(crate) fn expect_refusal(&mut self, what: impl fmt::Display, response: &Response) {
        self.expect(response.is_refusal(), what, response);
    }

    /// Counts a response that should have one of these statuses.
    pub(crate) fn expect_status(
        &mut self,
        among: &[u16],
        what: impl fmt::Display,
        response: &Response,
    ) {
        self.expect(among.contains(&response.status), what, response);
    }

    /// Checks a condition that is not about one response.
    pub(crate) fn check(&mut self, good: bool, otherwise: impl fmt::Display) {
        if !good {
            self.wrong.push(otherwise.to_string());
        }
    }

    /// Adds a note after the statuses.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn verdict(self) -> Verdict {
        let counts = self.statuses.iter().map(|(status, count)| match status {
            0 => format!("{count} × closed"),
            status => format!("{count} × {status}"),
        });
        let parts: Vec<String> = counts.chain(self.notes).collect();
        let mut got = parts.join(", ");
        let outcome = if self.wrong.is_empty() {
            Outcome::Pass
        } else {
            Outcome::Fail
        };
        if !self.wrong.is_empty() {
            let shown: Vec<&str> = self
                .wrong
                .iter()
                .take(MAX_SHOWN)
                .map(String::as_str)
                .collect();
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
    fn one_unexpected_response_fails_the_attack() {
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
        tally.expect_refusal("none", &refused);
        tally.expect_refusal("HS256", &served);
        let verdict = tally.verdict();
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.got, "1 × 200, 1 × 401; 1 wrong: HS256 → 200 {}");
    }

    #[test]
    fn expected_responses_pass() {
        let mut tally = Tally::new("x");
        tally.expect_refusal(
            "y",
            &Response {
                status: 404,
                ..Response::default()
            },
        );
        assert_eq!(tally.verdict().outcome, Outcome::Pass);
    }
}
