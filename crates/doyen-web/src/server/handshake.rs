//! The TLS handshake of a connection.
//!
//! It counts against the limits of connections from its start. It has a time of its own, as long as
//! that of a request head, and few bytes.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;

use super::ServerOptions;
use super::connection::{CLOSE_TIMEOUT, LAST_REQUEST_TIME};
use super::shutdown::{Shutdown, Stage};
use super::tls_stream::{TlsStream, speaks_tls};
use super::transport::Transport;
use crate::budget::Account;
use crate::tls::Tls;

/// Memory of a handshake: the session, and the buffer of a hello.
const HANDSHAKE_BYTES: usize = 4 << 10;

/// Performs the handshake. Returns the connection, and true if the client speaks HTTP without TLS,
/// which gets a response that says so. Returns `None` if the connection has to be closed.
pub(super) async fn accept(
    stream: Transport,
    tls: &Tls,
    shutdown: &Shutdown,
    account: &Arc<Account>,
    options: &ServerOptions,
) -> Option<(Transport, bool)> {
    let stream = stream.into_tcp()?;
    let _charge = account.charge(HANDSHAKE_BYTES);
    // A client that has just connected has the same time as one that has not sent a request.
    let leave = async {
        shutdown.reached(Stage::Finish).await;
        tokio::time::sleep(LAST_REQUEST_TIME + CLOSE_TIMEOUT).await;
    };
    tokio::select! {
        biased;
        accepted = tokio::time::timeout(options.header_timeout, handshake(stream, tls)) => {
            match accepted {
                Ok(Ok(accepted)) => Some(accepted),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "TLS handshake failed");
                    None
                }
                Err(_) => None,
            }
        }
        () = leave => None,
        () = shutdown.reached(Stage::Cut) => None,
        () = account.closed() => None,
    }
}

async fn handshake(stream: TcpStream, tls: &Tls) -> io::Result<(Transport, bool)> {
    if !speaks_tls(&stream).await? {
        return Ok((stream.into(), true));
    }
    let session = TlsStream::accept(stream, tls).await?;
    Ok((session.into(), false))
}
