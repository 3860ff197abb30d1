//! A server process for one test.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Maximum time to start.
const TIMEOUT: Duration = Duration::from_secs(20);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A program that listens on 127.0.0.1, with a folder of its own. Killed when dropped.
#[derive(Debug)]
pub(crate) struct LocalServer {
    program: Program,
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

/// How a program is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Its arguments for a port and a folder.
    pub(crate) arguments: fn(&str, &Path) -> Vec<String>,
    /// True if the server responds on this connection.
    pub(crate) answers: fn(TcpStream) -> bool,
}

impl LocalServer {
    /// Starts the program on a free port, with these files in its folder.
    pub(crate) fn start(program: Program, files: &[(&str, &str)]) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("doyen-{}-{}-{number}", program.name, std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder)
            .unwrap_or_else(|error| panic!("no folder for `{}`: {error}", program.name));
        for (name, text) in files {
            std::fs::write(folder.join(name), text)
                .unwrap_or_else(|error| panic!("{name} cannot be written: {error}"));
        }
        // A port that was free a moment ago; if another process took it, try again.
        for _ in 0..5 {
            let address = TcpListener::bind(("127.0.0.1", 0))
                .and_then(|listener| listener.local_addr())
                .unwrap_or_else(|error| panic!("no port: {error}"));
            let mut server = Self {
                program,
                child: spawn(program, address, &folder),
                address,
                folder: PathBuf::new(),
            };
            if server.is_ready() {
                server.folder = folder;
                return server;
            }
        }
        panic!("`{}` does not start", program.name);
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it (SIGKILL), which ends a stopped process too.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.program, self.address, &self.folder);
        let name = self.program.name;
        assert!(self.is_ready(), "`{name}` does not start again");
    }

    /// Stops the process, until [`resume`](Self::resume).
    pub(crate) fn pause(&self) {
        crate::signal::pause(&self.child);
    }

    /// Continues the process.
    pub(crate) fn resume(&self) {
        crate::signal::send(&self.child, "-CONT");
    }

    fn is_ready(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < TIMEOUT {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return false;
            }
            if let Ok(stream) = TcpStream::connect(self.address) {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
                if (self.program.answers)(stream) {
                    return true;
                }
            }
            rest();
        }
        false
    }
}

fn spawn(program: Program, address: SocketAddr, folder: &Path) -> Child {
    let name = program.name;
    // Where Debian puts servers, which is not on the `PATH` of every user.
    let debian = Path::new("/usr/sbin").join(name);
    let path = match debian.is_file() {
        true => debian,
        false => PathBuf::from(name),
    };
    Command::new(path)
        .args((program.arguments)(&address.port().to_string(), folder))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("`{name}` cannot be started ({error}): run `cargo xtask setup`")
        })
}

/// Waits before the next poll of another process, which cannot notify us.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing else runs on the thread of such a test"
)]
fn rest() {
    std::thread::sleep(Duration::from_millis(5));
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.kill();
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
