//! Calls of other services: what arrives at real upstreams, and what callers get.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod breaker;
mod bulkhead;
mod guard;
mod limits;
mod operate;
mod requests;
mod retries;
mod setup;
mod support;
