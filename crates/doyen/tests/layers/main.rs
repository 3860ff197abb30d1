//! What surrounds handlers: functions, `tower` layers, guards and mounts, as a client sees it.

#![allow(missing_docs, reason = "a test")]

mod application;
mod early;
mod files;
mod guards;
mod kit;
mod mounts;
mod order;
mod service;
mod socket;
mod tower_layers;
