//! Tells the service manager, such as systemd, that the process serves, that it stops, and that it
//! is alive (`sd_notify`). Without `NOTIFY_SOCKET`, which it sets, nothing happens.

#[cfg(unix)]
use tokio::time::MissedTickBehavior;

/// The process serves. From now on a task reports that the async runtime works, if the service
/// manager watches it (`WatchdogSec=`): a process whose workers are all blocked is restarted.
pub(crate) fn ready() {
    #[cfg(unix)]
    {
        notify(sd_notify::NotifyState::Ready);
        if let Some(limit) = sd_notify::watchdog_enabled() {
            tokio::spawn(async move {
                let mut ticks = tokio::time::interval(limit / 2);
                // A runtime that was blocked reports once, not once for each tick that it missed.
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    notify(sd_notify::NotifyState::Watchdog);
                }
            });
        }
    }
}

/// The process begins to stop.
pub(crate) fn stopping() {
    #[cfg(unix)]
    notify(sd_notify::NotifyState::Stopping);
}

#[cfg(unix)]
fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager cannot be notified at `NOTIFY_SOCKET`");
    }
}
