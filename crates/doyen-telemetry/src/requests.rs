//! The recent requests, jobs, event handlers and messages of this process, with their steps, for
//! developers.
//!
//! | path on the admin address | response |
//! | --- | --- |
//! | `/requests` | the recent work, newest last; `?after={number}` and `?request_id={id}` select |
//! | `/requests/{number}` | one of them, with its steps, its log lines and the work that it caused |
//! | `/requests/{number}/steps/{step}/plan` | the plan of a statement, counted from 0 |

mod recent;
mod recording;
mod routes;
mod view;

pub(crate) use recent::Recent;
pub(crate) use recording::Recorder;
pub(crate) use routes::{Plans, link, module};
