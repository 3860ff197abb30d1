//! What the kernel knows about a connection.

use std::mem::MaybeUninit;

use socket2::SockRef;
use tokio::net::TcpStream;

/// True if bytes of the client have arrived that are not read. The runtime may not have noticed
/// them yet.
pub(super) fn has_input<'a, S>(stream: &'a S) -> bool
where
    SockRef<'a>: From<&'a S>,
{
    let mut byte = [MaybeUninit::uninit(); 1];
    matches!(SockRef::from(stream).peek(&mut byte), Ok(1..))
}

/// Returns the bytes that the client has acknowledged so far, if the system counts them.
///
/// The socket accepting bytes shows the same only in large steps: the kernel reports space when
/// much of its buffer is free, which takes a slow client longer than it may be silent.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn acknowledged(stream: &TcpStream) -> Option<u64> {
    use nix::sys::socket::GetSockOpt as _;
    /// Index of `tcpi_bytes_acked` in the words of `tcp_info`.
    const BYTES_ACKED: usize = 15;
    option::TcpInfo
        .get(stream)
        .ok()
        .map(|info| info[BYTES_ACKED])
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn acknowledged(_: &TcpStream) -> Option<u64> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod option {
    use nix::{getsockopt_impl, libc, sockopt_impl};

    // The kernel returns as much of `tcp_info` as fits, and appends members in later versions.
    sockopt_impl!(
        TcpInfo,
        GetOnly,
        libc::IPPROTO_TCP,
        libc::TCP_INFO,
        [u64; 16]
    );
}
