//! The end of a listener.
//!
//! A connection is established by the kernel before it is accepted, and the client may have sent a
//! request by then. To close the listener resets every connection in its queue, and one can always
//! be added between the last `accept` and the close. So new connections are stopped first: on Linux
//! a filter discards the packets that begin one (SYN). The client sends another a second later,
//! which is refused by then or reaches the next process on this address. A Unix socket needs no
//! filter: its connections begin in one step, which the kernel refuses once its reading side is
//! closed.

use std::io;

use tokio::net::TcpListener;

/// Discards what begins a connection to this listener. Other systems than Linux have no filter; a
/// connection can be lost there.
pub(super) fn refuse_new(listener: &TcpListener) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = socket2::SockRef::from(listener).attach_filter(&discard_syn()) {
        tracing::debug!(%error, "no filter of new connections");
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = listener;
}

/// The program of the filter (BPF), which sees packets from their TCP header on.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn discard_syn() -> [socket2::SockFilter; 4] {
    use socket2::SockFilter;
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FLAGS_AT: u32 = 13;
    const SYN: u32 = 2;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS_AT),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        // The number of bytes to keep.
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ]
}

/// Accepts the connections in a queue until it is empty.
pub(super) fn drain<T>(
    accept: impl Fn() -> io::Result<T>,
    mut take: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        match accept() {
            Ok(accepted) => take(accepted)?,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) if is_empty(&error) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                return Ok(());
            }
        }
    }
}

/// A Unix socket that begins no new connections reports an empty queue as invalid.
fn is_empty(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::InvalidInput
    )
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}
