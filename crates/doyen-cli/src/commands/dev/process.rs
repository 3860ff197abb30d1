//! The running application.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};

use crate::failure::{Failure, Result};

/// Time for the last requests of a former build.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A process of the application.
pub(super) struct Process {
    child: Child,
    /// Where it says that it serves (`sd_notify`).
    messages: UnixDatagram,
    /// It connects here, and ends as soon as the connection closes: also if this process is killed.
    _alive: UnixListener,
    sockets: [PathBuf; 2],
}

impl Process {
    /// Starts the program with this listener.
    pub(super) fn start(program: &Path, root: &Path, listener: &TcpListener) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("{} cannot be started: {error}", program.display()))
        };
        let sockets = ["notify", "alive"].map(|name| {
            let name = format!("doyen-dev-{}-{name}.sock", std::process::id());
            std::env::temp_dir().join(name)
        });
        // They may be left from a process that was killed.
        remove(&sockets);
        let messages = UnixDatagram::bind(&sockets[0]).map_err(failed)?;
        let alive = UnixListener::bind(&sockets[1]).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // The standard input is the one file descriptor that needs no unsafe code to be passed on.
        let passed = OwnedFd::from(listener.try_clone().map_err(failed)?);
        let child = Command::new(program)
            .current_dir(root)
            .env("APP_SERVER__BIND", address.to_string())
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDS_FIRST_FD", "0")
            .env_remove("LISTEN_PID")
            .env("NOTIFY_SOCKET", &sockets[0])
            .env("DOYEN_DEV_SOCKET", &sockets[1])
            .stdin(Stdio::from(passed))
            // Ctrl-C reaches `doyen dev` alone, which stops it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        Ok(Self {
            child: child.map_err(failed)?,
            messages,
            _alive: alive,
            sockets,
        })
    }

    /// Waits until it serves. Returns false if it ended before.
    pub(super) async fn ready(&mut self) -> bool {
        let mut message = [0; 256];
        loop {
            tokio::select! {
                received = self.messages.recv(&mut message) => {
                    let Ok(length) = received else { return false };
                    if message[..length].starts_with(b"READY=1") {
                        return true;
                    }
                }
                _ = self.child.wait() => return false,
            }
        }
    }

    /// Waits until it ends.
    pub(super) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => described(status),
            Err(error) => error.to_string(),
        }
    }

    /// Ends it, and waits until it has ended.
    pub(super) async fn stop(mut self) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // It may have ended in the meantime.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait())
            .await
            .is_err()
        {
            let _ = self.child.kill().await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        remove(&self.sockets);
    }
}

fn remove(sockets: &[PathBuf]) {
    for socket in sockets {
        // Nothing is lost if one stays.
        let _ = std::fs::remove_file(socket);
    }
}

fn described(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}
