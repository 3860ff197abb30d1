//! Tests on real databases: a SQLite file and a PostgreSQL database for each test.

extern crate doyen_data as doyen;

mod cancelled;
mod entities;
mod faults;
mod harness;
mod killed;
mod migrations;
mod orm;
mod pages;
mod pgbouncer;
mod pipelines;
mod poolers;
mod reads;
mod schema;
mod session;
mod tls;
