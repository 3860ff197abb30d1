//! The HTTP server as a client sees it: in process through `Service::handle`, and over sockets.

#![allow(missing_docs, reason = "a test")]

mod answers;
mod binding;
mod buffers;
mod caching;
mod client;
mod clocks;
mod compress;
mod conditions;
mod conformance;
mod cors;
mod document;
mod document_hooks;
mod ending;
mod event_streams;
mod exchange;
mod extract;
mod fields;
mod graph;
mod hosts;
mod http2;
mod inject;
mod kit;
mod limits;
mod load;
mod naming;
mod parameters;
mod policies;
mod private_cache;
mod responses;
mod server;
mod server_answers;
mod server_log;
mod shed;
mod signals;
mod stops;
mod strict;
mod strict_bodies;
mod switches;
mod unix_sockets;
