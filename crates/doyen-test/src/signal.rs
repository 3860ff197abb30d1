//! Signals to the servers of a test.

use std::process::{Child, Command};
use std::time::Duration;

/// Sends a signal, such as `-CONT`.
pub(crate) fn send(to: &Child, name: &str) {
    let id = to.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status();
    let is_sent = sent.is_ok_and(|status| status.success());
    assert!(is_sent, "{name} was not sent");
}

/// Stops a process, and returns when all its threads have stopped: on a busy machine one of them
/// could go on for a moment.
pub(crate) fn pause(process: &Child) {
    send(process, "-STOP");
    // Without `/proc` there is nothing to wait for.
    while is_running(process.id()) {
        rest();
    }
}

/// Waits before the next look at another process, which cannot notify us.
#[allow(
    clippy::disallowed_methods,
    reason = "called by tests, on a thread of their own"
)]
fn rest() {
    std::thread::sleep(Duration::from_millis(1));
}

/// True if a thread of the process has not stopped.
fn is_running(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return false;
    };
    threads.flatten().any(|thread| {
        let state = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // `4242 (nats-server) T 1 ...`: the name may contain anything, also `)`.
        let state = state.rsplit_once(") ").map_or("T", |(_, rest)| rest);
        !state.starts_with(['T', 't', 'Z', 'X'])
    })
}
