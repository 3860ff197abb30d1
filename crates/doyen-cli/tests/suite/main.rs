//! The command `doyen`, as its users start it.

#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "the measurements of the first hour")]

mod by_hand;
mod command_line;
mod deployed;
mod dev;
mod dev_loop;
mod doctor;
mod domain;
mod field;
mod first_hour;
mod lint;
mod migration;
mod new;
mod openapi;
mod sandbox;
mod variants;
