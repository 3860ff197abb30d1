//! Live connections as clients see them: over real sockets, on SQLite and on PostgreSQL.

mod access;
mod client;
mod document;
mod fanout;
mod kit;
mod limits;
mod nodes;
mod protocol;
mod sockets;
mod streams;
