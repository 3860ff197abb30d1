//! The words of Doyen and the ports between its parts.
//!
//! A domain is written against this crate alone (as `doyen::domain`): it names kinds of failure, ids, times, pages and ports, and knows no
//! web, no database and no runtime.
//!
//! | word | is |
//! | --- | --- |
//! | [`Kind`], [`Problem`], [`Unexpected`] | what can go wrong, and how a client is told |
//! | [`Failures`], [`At`] | what is wrong with an input, all of it, with places |
//! | [`Input`], [`Output`], [`Schema`] | what is read and written, and the contract of both |
//! | [`Id`], [`Timestamp`], [`Clock`], [`Secret`] | values every service needs |
//! | [`Paging`], [`Page`] | lists |
//! | [`Event`] | facts that other parts react to |
//! | [`Mail`], [`Mailer`] | mail to people |
//! | [`Allow`], [`Scope`], [`Role`], [`Caller`] | who may |
//! | [`Limit`], [`per_user`] and its kin | how often |
//! | [`SecurityEvent`], [`SecurityLog`] | what happened to accounts |
//! | [`Inject`], [`inject::Context`], [`Port`] | how parts find each other |

// The macros write `::doyen::__private::...`; inside this crate that is this crate.
extern crate self as doyen;

mod access;
mod access_log;
mod allow;
mod caller;
pub mod contract;
mod convert;
mod event;
mod failure;
pub mod id;
pub mod inject;
pub mod input;
mod kind;
pub mod limit;
mod mail;
pub mod output;
mod page;
mod patch;
pub mod problem;
pub mod rule;
pub mod schema;
mod secret;
pub mod security;
pub mod settings;
mod stable_hash;
pub mod sync;
mod time;
mod trace;

pub use access::Access;
pub use access_log::{AccessRecord, AccessSink};
pub use allow::{
    Allow, AllowExt, Anyone, Denied, DeniedBecause, Restrict, Restricted, Role, Scope, anyone,
    denied_because, signed_in,
};
pub use caller::{Caller, CredentialHeader, Credentials, FORBIDDEN, Identify, UNAUTHENTICATED};
pub use doyen_macros::{
    Event, Inject, Input, Output, Problem, Role, Scope, Settings, port, provider,
};
pub use event::Event;
pub use failure::{At, Failure, Failures, INVALID, Invalid, Place};
pub use id::Id;
pub use inject::{Inject, Lifetime, Port};
pub use input::Input;
pub use kind::Kind;
pub use limit::{
    Limit, Rate, per_address, per_client, per_key, per_route, per_user, policy, quota, unlimited,
};
pub use mail::{BadMail, Mail, Mailer, NotDelivered};
pub use output::Output;
pub use page::{From as PageFrom, INVALID_CURSOR, Page, Paging};
pub use patch::Patch;
pub use problem::{Problem, ProblemInfo, Refusal, Unexpected};
pub use schema::{Components, Schema};
pub use secret::Secret;
pub use security::{SecurityEvent, SecurityLog};
pub use stable_hash::stable_hash;
pub use time::{Clock, DAY, HOUR, MINUTE, NotATime, SystemClock, Timestamp, secs};
pub use trace::{RequestId, TraceContext, current_request, within_request};

/// What the macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::convert::ConvertInto;
    pub use crate::event::Event;
    pub use crate::inject::{BoxFuture, Context, Inject, Lifetime, Need, Needs, Node, Port};
    pub use crate::problem::{Problem, ProblemInfo, Refusal, Unexpected};
    pub use crate::{
        At, Components, Failures, Input, Invalid, Kind, Output, Patch, Place, Role, Schema, Scope,
        input, output, rule, schema, settings,
    };
    pub use {async_trait, regex, serde, serde_json};
}
