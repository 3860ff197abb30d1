//! What the crate promises, on real databases: a SQLite file and a PostgreSQL database of its own for each test.

extern crate doyen_data as doyen;

mod cancelled;
mod entities;
mod faults;
mod harness;
mod killed;
mod lanes;
mod migrations;
mod orm;
mod pages;
mod reads;
mod session;
mod tls;
