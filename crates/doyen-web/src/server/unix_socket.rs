//! The file of a Unix socket: created with its permissions, removed at the end.
//!
//! A process that is killed leaves the file behind. The kernel refuses connections to it, and the
//! next process replaces it. A file whose process accepts
//! connections is left alone. The folder is locked while one process looks and replaces: of two
//! processes that start at once, one fails because the socket is in use.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::listen_address::{SocketMode, folder};

/// Connections that wait to be accepted. When there are more, the kernel refuses them at once. The
/// system may have a lower maximum (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// How often, and how many times, the lock of the folder is tried. It is held for a few system
/// calls.
const LOCK_INTERVAL: Duration = Duration::from_millis(20);
const LOCK_ATTEMPTS: u32 = 250;

/// Why the socket cannot be opened, and what to do.
#[derive(Debug)]
pub(super) struct OpenError {
    pub(super) cause: io::Error,
    pub(super) help: &'static str,
}

/// The file of a socket, until it is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and number: another process may have replaced the file.
    id: (u64, u64),
}

/// Listens on a new socket at this path.
pub(super) async fn open(
    path: &Path,
    mode: SocketMode,
) -> Result<(std::os::unix::net::UnixListener, SocketFile), OpenError> {
    let address = SockAddr::unix(path).map_err(|_| {
        let bytes = path.as_os_str().len();
        OpenError {
            cause: io::Error::other(format!(
                "the path has {bytes} bytes, and that of a socket may have about a hundred (107 on Linux)"
            )),
            help: "Choose a shorter one",
        }
    })?;
    // Released when it is dropped.
    let _lock = lock(folder(path)).await?;
    remove_stale(path)?;
    let listen = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&address)?;
        let file = SocketFile::new(path)?;
        // Until it listens, the kernel refuses connections: none is made with other permissions.
        std::fs::set_permissions(path, Permissions::from_mode(mode.bits()))?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok((socket.into(), file))
    };
    listen().map_err(|cause| OpenError {
        help: help(&cause),
        cause,
    })
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            id: id(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if id(&self.path).is_ok_and(|id| id == self.id)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the file of the socket was not removed");
        }
    }
}

fn id(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

async fn lock(folder: &Path) -> Result<File, OpenError> {
    let file = File::open(folder).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => OpenError {
            cause: io::Error::other(format!("the folder {} does not exist", folder.display())),
            help: "Create it, for example with `RuntimeDirectory=` in the unit of systemd",
        },
        _ => OpenError {
            help: help(&cause),
            cause,
        },
    })?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_INTERVAL).await,
            // A file system without locks has none.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
    Err(OpenError {
        cause: io::Error::other(format!(
            "another process locks the folder {}",
            folder.display()
        )),
        help: "Use a folder that only this application uses",
    })
}

/// Removes the socket of a process that was killed.
fn remove_stale(path: &Path) -> Result<(), OpenError> {
    let refused = |cause: io::Error, help| Err(OpenError { cause, help });
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return refused(
                io::Error::other("there is a file that is not a socket"),
                "Remove it, or choose another path",
            );
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(cause) => return refused(io::Error::other(cause), "Choose another path"),
    }
    match probe(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        // The process that had it has just removed it.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(cause) if cause.kind() == ErrorKind::PermissionDenied => {
            return refused(
                io::Error::other("there is a socket of another user, to which it may not connect"),
                "Stop the process that uses it and remove the file, or choose another path",
            );
        }
        // Also if its queue is full, or if it takes no streams.
        Ok(()) | Err(_) => {
            return refused(
                io::Error::from(ErrorKind::AddrInUse),
                "Stop the process that uses the socket, or choose another path",
            );
        }
    }
    std::fs::remove_file(path).map_err(|cause| OpenError {
        help: help(&cause),
        cause,
    })
}

/// Connects without waiting.
fn probe(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

fn help(cause: &io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "Let the user of this process write to the folder"
        }
        _ => "Choose another path",
    }
}
