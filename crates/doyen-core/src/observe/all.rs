//! Several observers as one.

use std::sync::Arc;

use super::{
    Observation, ObservedEnd, ObservedResponse, ObservedStatement, ObservedStep, ObservedWork,
    RequestObserver, WorkPhase,
};
use crate::{AccessRecord, TraceContext};

/// Joins observers. One alone is returned as it is.
pub fn join_observers(
    mut observers: Vec<Arc<dyn RequestObserver>>,
) -> Option<Arc<dyn RequestObserver>> {
    match observers.len() {
        0 | 1 => observers.pop(),
        _ => Some(Arc::new(AllObservers(observers))),
    }
}

struct AllObservers(Vec<Arc<dyn RequestObserver>>);

impl RequestObserver for AllObservers {
    fn observe(&self, work: &ObservedWork<'_>) -> Option<Arc<dyn Observation>> {
        let mut all: Vec<_> = self.0.iter().filter_map(|one| one.observe(work)).collect();
        match all.len() {
            0 | 1 => all.pop(),
            _ => Some(Arc::new(AllObservations(all))),
        }
    }

    fn records(&self, trace: &TraceContext) -> bool {
        self.0.iter().any(|one| one.records(trace))
    }
}

#[derive(Debug)]
struct AllObservations(Vec<Arc<dyn Observation>>);

impl AllObservations {
    fn each(&self, report: impl Fn(&dyn Observation)) {
        self.0.iter().for_each(|one| report(&**one));
    }
}

impl Observation for AllObservations {
    fn poll_begins(&self) {
        self.each(|one| one.poll_begins());
    }
    fn poll_ended(&self) {
        self.each(|one| one.poll_ended());
    }
    fn phase(&self, phase: WorkPhase) {
        self.each(|one| one.phase(phase));
    }
    fn statement(&self, statement: &ObservedStatement<'_>) {
        self.each(|one| one.statement(statement));
    }
    fn transaction_began(&self) {
        self.each(|one| one.transaction_began());
    }
    fn transaction_ended(&self) {
        self.each(|one| one.transaction_ended());
    }
    fn step(&self, step: &ObservedStep<'_>) {
        self.each(|one| one.step(step));
    }
    fn response(&self, response: &ObservedResponse<'_>) {
        self.each(|one| one.response(response));
    }
    fn request_ended(&self, record: &AccessRecord<'_>) {
        self.each(|one| one.request_ended(record));
    }
    fn ended(&self, end: &ObservedEnd<'_>) {
        self.each(|one| one.ended(end));
    }
}
