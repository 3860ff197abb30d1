//! TLS over real sockets: certificates, handshakes, both protocols, the exchange of a certificate,
//! slow clients and the drain.

mod certificates;
mod drain;
mod handshakes;
mod reload;
mod requests;
mod support;
