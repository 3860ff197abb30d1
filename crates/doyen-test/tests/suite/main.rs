//! The harness: each test has its own database, and each check can fail.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod contract;
mod databases;
mod merged;
mod requests;
mod shop;
mod sockets;
mod streams;
mod values;
