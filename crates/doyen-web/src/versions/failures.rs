//! Validation failures with the names of an older version.

use std::error::Error;

use doyen_core::{Failures, Place, Problem, ProblemInfo, Refusal};
use serde_json::Value as Json;

use super::{ActiveVersion, RouteVersions};

impl ActiveVersion {
    /// Lets the failures of a request body point to the fields that the client sent. This happens
    /// before the problem is written, so that every format has the same names.
    pub(crate) fn down_refusal(&self, route: Option<&RouteVersions>, refusal: Refusal) -> Refusal {
        let Some(route) = route.filter(|route| self.has_request_steps(route)) else {
            return refusal;
        };
        let Some(given) = refusal.failures().filter(|given| !given.is_empty()) else {
            return refusal;
        };
        let mut failures = Failures::with(given.strictness());
        for failure in given {
            let mut failure = failure.clone();
            if failure.place == Place::Body {
                failure.pointer = self.older_pointer(route, &failure.pointer);
            }
            failures.push(failure);
        }
        Box::new(Older { refusal, failures })
    }
}

/// A validation problem whose failures have the names of an older version.
struct Older {
    refusal: Refusal,
    failures: Failures,
}

#[diagnostic::do_not_recommend]
impl Problem for Older {
    fn info(&self) -> &'static ProblemInfo {
        self.refusal.info()
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        Vec::new()
    }
    fn detail(&self) -> Option<String> {
        self.refusal.detail()
    }
    fn failures(&self) -> Option<&Failures> {
        Some(&self.failures)
    }
    fn members(&self) -> Vec<(&'static str, Json)> {
        self.refusal.members()
    }
    fn headers(&self) -> Vec<(&'static str, String)> {
        self.refusal.headers()
    }
    fn retry_after(&self) -> Option<u32> {
        self.refusal.retry_after()
    }
    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.refusal.cause()
    }
}
