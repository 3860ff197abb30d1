//! The application in a process of its own, which a test can kill and measure.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use doyen::settings::Loader;
use doyen_test::SIGNING_KEY;

const MARK: &str = "DOYEN_FILES_TEST_CHILD";

/// The process: this program, with a variable that makes it serve until its end. Without the
/// variable the test is empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    let settings = std::env::vars();
    let own = |name: &str| name.starts_with("APP_") || name == "DATABASE_URL";
    let settings: Vec<_> = settings.filter(|(name, _)| own(name)).collect();
    let pairs = settings.iter().map(|(name, value)| (&**name, &**value));
    let loader = Loader::new("APP").env(pairs);
    let app = crate::kit::app()
        .start(loader, doyen::Overrides::default())
        .await;
    let app = app.unwrap_or_else(|error| panic!("{error}"));
    let options = doyen::web::ServerOptions::new(([127, 0, 0, 1], 0).into());
    let server = doyen::web::Server::bind(app.service().clone(), options).await;
    let server = server.unwrap_or_else(|error| panic!("{error}"));
    let mut out = std::io::stdout();
    writeln!(out, "listens {}", server.address()).unwrap();
    out.flush().unwrap();
    server.run_until(std::future::pending::<()>()).await;
}

fn program() -> OsString {
    std::env::current_exe().unwrap().into()
}

/// A running process. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// The harness writes again after a minute, and ends if nothing reads.
    _output: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Process {
    /// Starts the application on this database, with these settings.
    pub(crate) fn start(url: &str, folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::run(Command::new(program()), url, folder, settings)
    }

    /// The same, where no file can have more bytes.
    pub(crate) fn start_limited(
        url: &str,
        folder: &Path,
        settings: &[(&str, &str)],
        max_bytes: u64,
    ) -> Self {
        let mut shell = Command::new("sh");
        // An ignored signal stays ignored: writes then fail.
        let script = format!(
            "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
            max_bytes / 512
        );
        shell.args(["-c".into(), OsString::from(script), program()]);
        Self::run(shell, url, folder, settings)
    }

    fn run(mut command: Command, url: &str, folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = command
            .args(["--exact", "process::child", "--nocapture"])
            .env(MARK, "1")
            .env("DATABASE_URL", url)
            .env("APP_ENV", "test")
            .env("APP_AUTH__SIGNING_KEY", SIGNING_KEY)
            .env("APP_DATABASE__SYNCHRONOUS", "normal")
            .env("APP_FILES__FOLDER", folder)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        // The harness prints the name of the test on the same line.
        let address = lines.find_map(|line| Some(line.split_once("listens ")?.1.to_owned()));
        Self {
            child,
            _output: output,
            address: address.expect("the process listens"),
        }
    }

    /// Uploads this many MiB of text, and returns the response.
    pub(crate) fn upload(&self, megabytes: usize) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "PUT /raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\n\r\n",
            megabytes << 20
        );
        stream.write_all(head.as_bytes()).unwrap();
        let megabyte = vec![b'a'; 1 << 20];
        // A server that has refused the request may close.
        let _ = (0..megabytes).try_for_each(|_| stream.write_all(&megabyte));
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    /// Returns the maximum of its memory so far, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number
            .and_then(|number| number.parse().ok())
            .expect("a number")
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
