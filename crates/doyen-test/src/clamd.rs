//! A virus scanner for one test.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Maximum time to start.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Where Debian puts it, which is not on the `PATH` of every user.
const DEBIAN: &str = "/usr/sbin/clamd";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A `clamd` for one test. Its only signature is that of the EICAR test file, so that it needs no
/// database from outside. Killed when dropped.
///
/// ```no_run
/// let clamd = doyen_test::ClamdServer::start();
/// let setting = clamd.unix();
/// clamd.pause();
/// // Connections are accepted, and no reply comes.
/// clamd.resume();
/// # let _ = setting;
/// ```
#[derive(Debug)]
pub struct ClamdServer {
    child: Child,
    folder: PathBuf,
    tcp: SocketAddr,
}

fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .unwrap_or_else(|error| panic!("no port: {error}"))
}

impl ClamdServer {
    /// Starts a scanner with a `StreamMaxLength` of 25 MiB.
    pub fn start() -> Self {
        Self::with_stream_limit(25 << 20)
    }

    /// Starts a scanner with this `StreamMaxLength`.
    pub fn with_stream_limit(bytes: u64) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doyen-clamd-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let database = folder.join("db");
        std::fs::create_dir_all(&database).unwrap_or_else(|error| panic!("no folder: {error}"));
        let hex: String = Self::eicar()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let signature = format!("Eicar-Test-Signature:0:*:{hex}\n");
        let tcp = free_address();
        let path = |name: &str| folder.join(name).display().to_string();
        let settings = [
            ("DatabaseDirectory", path("db")),
            ("LocalSocket", path("socket")),
            ("PidFile", path("pid")),
            ("LogFile", path("log")),
            ("TCPAddr", "127.0.0.1".to_owned()),
            ("TCPSocket", tcp.port().to_string()),
            ("Foreground", "yes".to_owned()),
            ("ConcurrentDatabaseReload", "no".to_owned()),
            ("StreamMaxLength", bytes.to_string()),
            ("MaxFileSize", "50M".to_owned()),
            ("AlertExceedsMax", "yes".to_owned()),
        ];
        let settings: String = settings
            .iter()
            .map(|(name, value)| format!("{name} {value}\n"))
            .collect();
        let written = std::fs::write(database.join("local.ndb"), signature)
            .and_then(|()| std::fs::write(folder.join("clamd.conf"), settings));
        written.unwrap_or_else(|error| panic!("no configuration of clamd: {error}"));
        let mut server = Self {
            child: spawn(&folder),
            folder,
            tcp,
        };
        server.find_port();
        server.wait_until_ready();
        server
    }

    /// Returns the EICAR test file, which scanners report and which is harmless. It is put together
    /// here, so that no file of the repository is reported.
    pub fn eicar() -> Vec<u8> {
        let parts = [
            r"X5O!P%@AP[4\PZX54(P^)7CC)7}$",
            "EICAR-STANDARD-ANTIVIRUS",
            "-TEST-FILE!$H+H*",
        ];
        parts.concat().into_bytes()
    }

    /// Returns the setting for its Unix socket.
    pub fn unix(&self) -> String {
        format!("unix:{}", self.folder.join("socket").display())
    }

    /// Returns the setting for its TCP socket.
    pub fn tcp(&self) -> String {
        self.tcp.to_string()
    }

    /// Stops the scanner with SIGSTOP: connections are accepted, and no reply comes.
    pub fn pause(&self) {
        crate::signal::pause(&self.child);
    }

    /// Continues the scanner.
    pub fn resume(&self) {
        crate::signal::send(&self.child, "-CONT");
    }

    /// Kills the scanner.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts a killed scanner again at its addresses.
    pub fn restart(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(self.folder.join("socket"));
        self.child = spawn(&self.folder);
        self.wait_until_ready();
    }

    /// Starts it with other ports while another process takes the chosen one first.
    fn find_port(&mut self) {
        for _ in 0..5 {
            let started = Instant::now();
            while started.elapsed() < TIMEOUT
                && matches!(self.child.try_wait(), Ok(None))
                && !self.responds()
            {
                rest();
            }
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            if !log.contains("in use") {
                return;
            }
            self.kill();
            let former = format!("TCPSocket {}\n", self.tcp.port());
            self.tcp = free_address();
            let conf = self.folder.join("clamd.conf");
            let text = std::fs::read_to_string(&conf).unwrap_or_default();
            let text = text.replace(&former, &format!("TCPSocket {}\n", self.tcp.port()));
            let written = std::fs::write(&conf, text);
            written.unwrap_or_else(|error| panic!("no configuration of clamd: {error}"));
            let _ = std::fs::remove_file(self.folder.join("log"));
            let _ = std::fs::remove_file(self.folder.join("socket"));
            self.child = spawn(&self.folder);
        }
    }

    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        while started.elapsed() < TIMEOUT {
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = std::fs::read_to_string(self.folder.join("log"));
                panic!("`clamd` ended with {status}: {}", log.unwrap_or_default());
            }
            if self.responds() {
                return;
            }
            rest();
        }
        panic!("`clamd` does not start");
    }

    fn responds(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.folder.join("socket")) else {
            return false;
        };
        let mut reply = [0; 5];
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        stream.write_all(b"zPING\0").is_ok()
            && stream.read_exact(&mut reply).is_ok()
            && &reply == b"PONG\0"
    }
}

fn spawn(folder: &std::path::Path) -> Child {
    let debian = PathBuf::from(DEBIAN);
    let program = match debian.is_file() {
        true => debian,
        false => PathBuf::from("clamd"),
    };
    Command::new(program)
        .arg("-c")
        .arg(folder.join("clamd.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("`clamd` cannot be started ({error}): run `cargo xtask setup`")
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

impl Drop for ClamdServer {
    fn drop(&mut self) {
        // SIGKILL ends a stopped process too.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
