//! One suite for both engines: what a limiter promises, in process and in Redis.

#![allow(missing_docs, reason = "a test")]

mod kit;
mod limiter;
mod local;
#[cfg(feature = "redis")]
mod redis;
