//! The core types of Doyen and the ports between its parts.
//!
//! A domain depends on this crate alone (as `doyen::domain`): it has kinds of errors, ids, times,
//! pages and ports, and no web, database or runtime.
//!
//! | type | purpose |
//! | --- | --- |
//! | [`Kind`], [`Problem`], [`Unexpected`] | errors, and their form on the wire |
//! | [`Failures`], [`At`] | all validation errors of an input, with their locations |
//! | [`Id`], [`Timestamp`], [`Clock`], [`Secret`] | values of every service |
//! | [`Paging`], [`Page`] | lists |
//! | [`Event`], [`EventData`] | facts that other parts of a system react to |
//! | [`net`] | addresses that outgoing calls may reach |
//! | [`Mail`], [`Mailer`] | mail to users |
//! | [`Job`], [`Jobs`] | background jobs |
//! | [`Allow`], [`Scope`], [`Role`], [`Caller`] | access policies |
//! | [`SecurityScheme`], [`Identify`] | how a request proves who sends it |
//! | [`Limit`], [`per_user`] and others | rate limits |
//! | [`Cache`], [`CacheFor`], [`CachePolicy`] | cached values |
//! | [`table::Table`] | the table that an entity declares |
//! | [`SecurityEvent`], [`SecurityLog`] | security events of accounts |
//! | [`RequestObserver`], [`Observation`] | what happens in a request, for a plugin that observes it |
//! | [`Inject`], [`inject::Context`], [`Port`] | dependency injection |

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod access;
mod access_log;
mod allow;
pub mod cache;
mod caller;
mod causes;
mod convert;
mod denied;
mod duration;
pub mod event;
mod failure;
pub mod id;
pub mod idempotency;
pub mod inject;
pub mod job;
mod kind;
pub mod limit;
mod mail;
mod mask;
pub mod net;
mod observe;
mod page;
mod patch;
pub mod problem;
mod scheme;
mod scope;
mod secret;
pub mod security;
mod stable_hash;
mod strictness;
pub mod sync;
pub mod table;
mod time;
mod trace;

pub use access::Access;
pub use access_log::{AccessRecord, AccessSink};
pub use allow::{Allow, AllowExt, Anyone, Denied, Restrict, Restricted, anyone, signed_in};
pub use cache::{Cache, CacheFor, CachePolicy};
pub use caller::{
    Caller, CredentialHeader, FORBIDDEN, Identify, RequestCredentials, RequestHead, UNAUTHENTICATED,
};
pub use causes::{causes, chain};
/// Days and times of day, of the crate `chrono`.
pub use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
pub use denied::{DeniedBecause, denied_because};
pub use doyen_macros::{Event, EventData, Inject, Problem, Role, Scope, port, provider};
// Only the derives: the traits are in doyen-schema.
pub use doyen_macros::{Input, Output};
pub use duration::parse_duration;
pub use event::{Event, EventData};
pub use failure::{At, Beyond, Failure, Failures, INVALID, Invalid, Place};
pub use id::Id;
pub use idempotency::{Idempotency, Idempotent};
pub use inject::{Inject, Lifetime, Port};
pub use job::{
    Job, JobError, JobHandler, JobId, JobInfo, JobRun, JobStatus, Jobs, MissedRuns, NewJob,
    Progress, Schedule,
};
pub use kind::{ErrorStatus, Kind};
pub use limit::{
    Limit, Rate, per_address, per_client, per_key, per_route, per_user, policy, quota, unlimited,
};
pub use mail::{BadMail, Mail, MailDelivery, MailOutbox, MailQueue, Mailer, NotDelivered};
pub use mask::mask;
pub use observe::{
    Observation, ObservedEnd, ObservedLimit, ObservedResponse, ObservedStatement, ObservedStep,
    ObservedWork, RequestObserver, StepKind, StepValue, WorkKind, WorkPhase, begin_work,
    current_observation, join_observers, span, step_names, within_observation, within_work,
};
pub use page::{From as PageFrom, INVALID_CURSOR, Page, Paging, Total};
pub use patch::Patch;
pub use problem::{Problem, ProblemExtras, ProblemInfo, Refusal, Unexpected};
#[cfg(feature = "decimal")]
pub use rust_decimal::Decimal;
pub use scheme::{CredentialSource, SchemeForm, SecurityScheme};
pub use scope::{Role, Scope};
pub use secret::Secret;
pub use security::{SecurityEvent, SecurityLog};
pub use stable_hash::stable_hash;
pub use strictness::{Strictness, UnknownNames};
pub use time::{Clock, DAY, HOUR, MINUTE, NotATime, SystemClock, Timestamp, secs};
pub use trace::{RequestId, TraceContext, current_request, within_request};

/// Drops the code of `#[derive(Input)]` and `#[derive(Output)]`. Their traits are in doyen-schema,
/// whose macro of the same name keeps it. So a domain may derive them and still compile against
/// this crate alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __without_schema {
    ($($code:tt)*) => {};
}

/// A domain refers to this crate as `doyen::domain`; with this, that also works in a crate that
/// depends on core alone.
#[doc(hidden)]
pub extern crate self as domain;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::__without_schema as with_schema;
    pub use crate::convert::ConvertInto;
    pub use crate::event::{Event, EventData, unknown_topic};
    pub use crate::inject::{BoxFuture, Context, Inject, Lifetime, Need, Needs, Node, Port};
    pub use crate::problem::{
        Problem, ProblemExtras, ProblemInfo, Refusal, Unexpected, header_text, member_value,
    };
    pub use crate::{At, ErrorStatus, Failures, Invalid, Kind, Patch, Place, Role, Scope};
    pub use {async_trait, serde, serde_json};
}
