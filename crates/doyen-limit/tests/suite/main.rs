//! One test suite for both limiters, in memory and in Redis.

#![allow(missing_docs, reason = "a test")]

mod kit;
mod limiter;
mod local;
#[cfg(feature = "redis")]
mod redis;
