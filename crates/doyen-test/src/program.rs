//! The real binary, as its users start it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use doyen::domain::sync;

/// Maximum time of an operation before the test fails.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Maximum time to read the last lines of a program that has ended.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(2);

/// A program to run in its own folder and with a clean environment. Killed when dropped.
///
/// ```no_run
/// use doyen_test::Program;
///
/// let server = Program::new("target/debug/helpdesk")
///     .env("APP_SERVER__BIND", "127.0.0.1:0")
///     .start();
/// let address = server.address();
/// let request = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
/// assert!(server.exchange(request).starts_with("HTTP/1.1 200"));
/// assert!(server.terminate().success());
/// ```
#[derive(Debug)]
pub struct Program {
    command: Command,
    folder: PathBuf,
}

/// A running program.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: Arc<Mutex<String>>,
    /// They end with the output.
    readers: Vec<JoinHandle<()>>,
    folder: PathBuf,
}

/// Resident memory of a program, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Current value.
    pub now: usize,
    /// Maximum so far.
    pub peak: usize,
}

/// Returns the count for a test with a reduced form: `full` under `cargo xtask soak`, otherwise
/// `reduced`.
pub fn scale(reduced: usize, full: usize) -> usize {
    match std::env::var_os("DOYEN_SOAK") {
        Some(_) => full,
        None => reduced,
    }
}

/// The result of a program that ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Program {
    /// Creates a program from this path: `env!("CARGO_BIN_EXE_helpdesk")`.
    pub fn new(path: &str) -> Self {
        let folder = std::env::temp_dir().join(format!(
            "doyen-program-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let path = std::path::absolute(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut command = Command::new(path);
        command
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, _) in std::env::vars().filter(|(name, _)| {
            name.starts_with("APP_") || name == "DATABASE_URL" || name == "REDIS_URL"
        }) {
            command.env_remove(name);
        }
        // As in `TestApp`: tests of limits set their own.
        for name in ["APP_LIMITS__DEFAULT", "APP_LIMITS__ANONYMOUS"] {
            command.env(name, "1000000/1s");
        }
        Self { command, folder }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds a command-line argument.
    #[must_use]
    pub fn arg(mut self, word: &str) -> Self {
        self.command.arg(word);
        self
    }

    /// Sets its standard input, which is empty by default.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Returns its working folder: empty at first, removed at the end.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Ended {
        let output = self
            .command
            .output()
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let _ = std::fs::remove_dir_all(&self.folder);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let output = Arc::new(Mutex::new(String::new()));
        let streams: [Option<Box<dyn std::io::Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        let mut readers = Vec::new();
        for stream in streams.into_iter().flatten() {
            let output = Arc::clone(&output);
            readers.push(std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut output = sync::lock(&output);
                    output.push_str(&line);
                    output.push('\n');
                }
            }));
        }
        Running {
            child,
            output,
            readers,
            folder: self.folder,
        }
    }
}

impl Running {
    /// Returns its process id, to send it a signal.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns its output so far, of both streams.
    pub fn output(&self) -> String {
        sync::lock(&self.output).clone()
    }

    /// Waits for the address in its output and returns it.
    pub fn address(&self) -> SocketAddr {
        let found = self.wait_for(|| {
            let output = self.output();
            let mut words = output.split(|c: char| c.is_whitespace() || c == '"' || c == '=');
            words.find_map(|word| {
                word.trim_start_matches("http://")
                    .trim_start_matches("https://")
                    .parse()
                    .ok()
            })
        });
        found.unwrap_or_else(|| panic!("its output has no address:\n{}", self.output()))
    }

    /// Sends bytes on a new connection and reads until the server closes it. Send
    /// `Connection: close`.
    ///
    /// # Errors
    ///
    /// Returns an error if no server listens or the connection is lost.
    pub fn try_exchange(&self, address: SocketAddr, bytes: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(bytes.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The same, for a server that must respond.
    pub fn exchange(&self, bytes: &str) -> String {
        self.try_exchange(self.address(), bytes)
            .unwrap_or_else(|error| panic!("no answer: {error}\n{}", self.output()))
    }

    /// Polls until this returns a value; `None` after the timeout.
    pub fn wait_for<T>(&self, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(value) = ready() {
                return Some(value);
            }
            if Instant::now() > deadline {
                return None;
            }
            rest();
        }
    }

    /// Returns its current and maximum memory (Linux).
    pub fn memory(&self) -> Memory {
        let path = format!("/proc/{}/status", self.child.id());
        let status =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
            kib.unwrap_or_else(|| panic!("{path} has no {name}")) / 1024
        };
        Memory {
            now: mib("VmRSS:"),
            peak: mib("VmHWM:"),
        }
    }

    /// Sends SIGTERM.
    pub fn ask_to_stop(&self) {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "SIGTERM was not sent"
        );
    }

    /// Sends SIGTERM and waits for the end.
    pub fn terminate(mut self) -> ExitStatus {
        self.ask_to_stop();
        self.wait()
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.read_rest();
                    return status;
                }
                Ok(None) if Instant::now() < deadline => rest(),
                Ok(None) => panic!("the program does not end:\n{}", self.output()),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waits until its last lines are read. A process that it has started may keep its output open.
    fn read_rest(&self) {
        let deadline = Instant::now() + OUTPUT_TIMEOUT;
        let is_read = || self.readers.iter().all(JoinHandle::is_finished);
        while !is_read() && Instant::now() < deadline {
            rest();
        }
    }

    /// Kills it at once (SIGKILL) and waits for the end.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits before the next poll of another process, which cannot notify us.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing else runs on the thread of such a test"
)]
fn rest() {
    std::thread::sleep(Duration::from_millis(5));
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
