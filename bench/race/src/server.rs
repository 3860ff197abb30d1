//! A running server: started on its core, and stopped when the value is dropped.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use toolkit::http;
use toolkit::process::free_port;
use toolkit::process::run;
use toolkit::{Context, Failure, Result};

use crate::cases::Store;
use crate::contestants::{self, Contestant};
use crate::databases::Databases;
use crate::load::sleep;
use crate::setup::Tools;
use crate::usage::{ProcessTree, signal};

/// Core of the servers.
pub(crate) const CORE: usize = 0;
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Issuer and audience of the tokens; `doyen-bench token` has the same values.
const ISSUER: &str = "https://bench.example";
const AUDIENCE: &str = "bench";

/// Starts servers; holds what all of them need.
pub(crate) struct Launcher<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) databases: &'a Databases,
    python: PathBuf,
}

impl<'a> Launcher<'a> {
    pub(crate) fn new(
        folder: &'a Path,
        tools: &Tools,
        databases: &'a Databases,
        contestants: &[&Contestant],
    ) -> Result<Self> {
        if contestants.iter().any(|one| one.equipped) {
            run(Command::new(contestants::doyen()?)
                .args(["token", "--dir"])
                .arg(folder))?;
        }
        Ok(Self {
            folder,
            databases,
            python: tools.python(),
        })
    }

    /// Starts the servers one after the other. An idle server costs no CPU time, so each starts
    /// alone on its core.
    pub(crate) fn start_all(
        &self,
        contestants: &[&'static Contestant],
        store: Store,
    ) -> Result<Vec<Server>> {
        contestants
            .iter()
            .map(|one| self.start(one, store))
            .collect()
    }

    fn start(&self, contestant: &'static Contestant, store: Store) -> Result<Server> {
        let name = format!("{}-{}", contestant.name, store.word());
        let file = |ending: &str| self.folder.join(format!("{name}.{ending}"));
        let address = free_port()?;
        let mut command = contestant.command(CORE, address.port(), &self.python)?;
        command
            .env_remove("DATABASE_URL")
            .env("TMPDIR", self.folder);
        if let Some(url) = self.databases.url(store, &file("db"))? {
            command.env("DATABASE_URL", url);
        }
        let access_log = file("access.log");
        let token = if contestant.equipped {
            Some(self.token(contestant)?)
        } else {
            None
        };
        if token.is_some() {
            let _ = fs::remove_file(&access_log);
            command
                .env("LOG", &access_log)
                .env("JWT_PUBLIC_KEY", self.folder.join("public.pem"))
                .env("JWT_ISSUER", ISSUER)
                .env("JWT_AUDIENCE", AUDIENCE);
        }
        let output = file("out");
        let out = File::create(&output).context(|| format!("making {}", output.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out);
        let started = Instant::now();
        let child = command.spawn().context(|| format!("starting {name}"))?;
        let mut server = Server {
            contestant,
            address,
            token,
            started_in: Duration::ZERO,
            idle_kib: 0,
            child,
            output,
            access_log,
        };
        server.started_in = server.first_response(started).context(|| name)?;
        server.idle_kib = ProcessTree::of(server.pid())?.resident()?;
        Ok(server)
    }

    /// Returns the token of a server. The algorithm has two names: Doyen uses the new one (RFC
    /// 9864), most libraries know only the old one.
    fn token(&self, contestant: &Contestant) -> Result<String> {
        let name = if contestant.is_doyen() {
            "token-ed25519"
        } else {
            "token"
        };
        let file = self.folder.join(name);
        let token = fs::read_to_string(&file).context(|| format!("reading {}", file.display()))?;
        Ok(token.trim().to_owned())
    }
}

/// A running server; dropping the value stops it.
pub(crate) struct Server {
    pub(crate) contestant: &'static Contestant,
    pub(crate) address: SocketAddr,
    /// Token for each request, if the server requires one.
    pub(crate) token: Option<String>,
    /// Time from the start to the first response.
    pub(crate) started_in: Duration,
    /// Resident memory after the first response.
    pub(crate) idle_kib: u64,
    child: Child,
    output: PathBuf,
    access_log: PathBuf,
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request, with or without the token of the server.
    pub(crate) fn send(&self, request: &Request, with_token: bool) -> Result<http::Response> {
        let token = self.token.as_ref().filter(|_| with_token);
        http::exchange(self.address, &request.encode(self.address, token))
            .context(|| format!("{}: {request}", self.contestant.name))
    }

    /// Returns what the server has printed so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    fn first_response(&mut self, started: Instant) -> Result<Duration> {
        let request = Request::get("/json");
        loop {
            let problem = match self.send(&request, true) {
                Ok(response) if response.status == 200 => return Ok(started.elapsed()),
                Ok(response) => format!("the last status was {}", response.status),
                Err(failure) => failure.to_string(),
            };
            let exited = self
                .child
                .try_wait()?
                .map(|status| format!("the server exited: {status}"));
            let late = (started.elapsed() > START_TIMEOUT)
                .then(|| format!("not ready after {START_TIMEOUT:?}: {problem}"));
            if let Some(why) = exited.or(late) {
                return Err(Failure::new(format!("{why}\n{}", self.output())));
            }
            sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(self.pid(), "TERM");
        let signalled = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if signalled.elapsed() > STOP_TIMEOUT {
                println!(
                    "{} did not stop after SIGTERM and was killed",
                    self.contestant.name
                );
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            sleep(Duration::from_millis(5));
        }
        // The access log has a line for each request, which is large.
        let _ = fs::remove_file(&self.access_log);
    }
}

/// A request of the comparison; the load generator has its own in `bench/wrk`.
#[derive(Debug)]
pub(crate) struct Request {
    method: &'static str,
    target: String,
    body: Option<String>,
}

impl Request {
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET",
            target: target.into(),
            body: None,
        }
    }

    pub(crate) fn post(target: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            method: "POST",
            target: target.into(),
            body: Some(body.into()),
        }
    }

    fn encode(&self, server: SocketAddr, token: Option<&String>) -> Vec<u8> {
        let host = server.to_string();
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Host", host.as_str())];
        if let Some(authorization) = &authorization {
            headers.push(("Authorization", authorization));
        }
        if self.body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        let body = self.body.as_deref().map(str::as_bytes);
        http::encode(self.method, &self.target, &headers, body)
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.method, self.target)?;
        self.body
            .as_ref()
            .map_or(Ok(()), |body| write!(out, " {body}"))
    }
}
