//! Observed work: the port through which plugins learn what happens in requests, jobs, event
//! handlers and messages of live connections.
//!
//! The runner of the work asks the observers at its start. If one observes it, the runner reports
//! each poll and the end, and the parts in between (the database session, the cache, the outbound
//! clients) report what they did. Without an observer nothing is measured.

mod all;
mod begin;
mod current;
mod port;
pub mod step_names;

pub use all::join_observers;
pub use begin::begin_work;
pub use current::{current_observation, span, within_observation, within_work};
pub use port::{
    Observation, ObservedEnd, ObservedLimit, ObservedResponse, ObservedStatement, ObservedStep,
    ObservedWork, RequestObserver, StepKind, StepValue, WorkKind, WorkPhase,
};
