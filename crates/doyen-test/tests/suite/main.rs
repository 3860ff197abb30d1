//! The harness itself: that each test has a database of its own, and above all that what checks can fail.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod contract;
mod databases;
mod requests;
mod shop;
mod sockets;
mod values;
