//! Ends the process together with `doyen dev`, also when that is killed and cannot stop it.

/// Ends the process as soon as `doyen dev`, which started it, has ended.
///
/// `doyen dev` opens a socket and names it in `DOYEN_DEV_SOCKET`. It sends nothing: the connection
/// closes when its process ends, however that happens.
pub(crate) fn end_with_parent() {
    #[cfg(unix)]
    if let Some(socket) = std::env::var_os("DOYEN_DEV_SOCKET") {
        std::thread::spawn(move || {
            use std::io::Read as _;
            let connected = std::os::unix::net::UnixStream::connect(socket);
            let ended = connected.and_then(|mut parent| parent.read(&mut [0]));
            tracing::warn!(?ended, "`doyen dev` has ended: the application ends too");
            #[expect(
                clippy::disallowed_methods,
                reason = "a graceful stop would keep the address in use until streams end"
            )]
            std::process::exit(1);
        });
    }
}
