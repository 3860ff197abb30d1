//! Signals that stop the server.

use std::future::Future;

/// SIGXFSZ, which has the same number on every platform that tokio supports signals on.
#[cfg(unix)]
const FILE_SIZE_LIMIT: i32 = 25;

/// Ignores SIGHUP and SIGUSR1, which by default end the process without a drain, and SIGXFSZ: a
/// write beyond the maximum file size then fails with an error. A handler stays installed for the
/// life of the process.
pub fn ignore_other_signals() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let others = [
            SignalKind::hangup(),
            SignalKind::user_defined1(),
            SignalKind::from_raw(FILE_SIZE_LIMIT),
        ];
        for kind in others {
            if let Err(error) = signal(kind) {
                tracing::warn!(?kind, %error, "signal cannot be ignored");
            }
        }
    }
}

/// Completes at SIGTERM or SIGINT (Ctrl-C elsewhere). The handlers are installed by the call, not
/// when the future is first polled: a signal that comes in between is not lost.
pub fn shutdown_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        );
        async move {
            match signals {
                (Ok(mut terminate), Ok(mut interrupt)) => {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                }
                // Without handlers a signal ends the process at once.
                _ => std::future::pending().await,
            }
        }
    }
    #[cfg(not(unix))]
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
