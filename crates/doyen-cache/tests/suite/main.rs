//! The cache: one suite for a store in memory and for nodes that share Redis.

#![allow(missing_docs, reason = "a test")]

mod admin;
mod kit;
mod nodes;
mod store;
