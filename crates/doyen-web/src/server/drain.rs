//! When to stop.

/// Ignores SIGHUP and SIGUSR1: by default they end the process without a drain. A handler stays
/// installed for the life of the process.
pub(super) fn ignore_others() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        for kind in [SignalKind::hangup(), SignalKind::user_defined1()] {
            if let Err(error) = signal(kind) {
                tracing::warn!(?kind, %error, "signal cannot be ignored");
            }
        }
    }
}

/// Done at SIGTERM or SIGINT (Ctrl-C elsewhere).
pub(super) async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) {
            (Ok(mut terminate), Ok(mut interrupt)) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            // Without signals there is no drain; the process is killed as it always was.
            _ => std::future::pending().await,
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
