//! A contestant at work: started on its core, waited for, and ended with the value that stands for it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::account::{Family, signal};
use super::cases::Store;
use super::contestants::{self, Contestant};
use super::databases::Databases;
use super::load::rest;
use crate::failure::{Context, Failure, Result};
use crate::helpdesk::free_port;
use crate::http;
use crate::process::run;
use crate::setup::BenchTools;

/// The core of the servers, each in its turn.
pub(super) const CORE: usize = 0;
const START_LIMIT: Duration = Duration::from_secs(30);
const END_LIMIT: Duration = Duration::from_secs(5);

/// Who makes the tokens and whom they are for; `doyen-bench token` knows the same words.
const ISSUER: &str = "https://bench.example";
const AUDIENCE: &str = "bench";

/// Where servers are started: all that they need beside their program.
pub(super) struct Yard<'a> {
    pub(super) folder: &'a Path,
    pub(super) databases: &'a Databases,
    python: PathBuf,
}

impl<'a> Yard<'a> {
    pub(super) fn new(
        folder: &'a Path,
        tools: &BenchTools,
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

    /// Starts these one after the other, each alone on its core while it starts. Afterwards they idle, which costs nothing.
    pub(super) fn start_all(
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
        let said = file("out");
        let out = File::create(&said).context(|| format!("making {}", said.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out);
        let begun = Instant::now();
        let child = command.spawn().context(|| format!("starting {name}"))?;
        let mut server = Server {
            contestant,
            address,
            token,
            started_in: Duration::ZERO,
            idle_kib: 0,
            child,
            said,
            access_log,
        };
        server.started_in = server.first_answer(begun).context(|| name)?;
        server.idle_kib = Family::of(server.pid())?.resident()?;
        Ok(server)
    }

    /// The algorithm has two names. Doyen knows it by the new one (RFC 9864), most libraries only by the old one.
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

/// A running contestant; it ends with this value.
pub(super) struct Server {
    pub(super) contestant: &'static Contestant,
    pub(super) address: SocketAddr,
    /// For each request, if it wants one.
    pub(super) token: Option<String>,
    /// From its start to its first answer.
    pub(super) started_in: Duration,
    /// What lay in memory right after that.
    pub(super) idle_kib: u64,
    child: Child,
    said: PathBuf,
    access_log: PathBuf,
}

impl Server {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks with its token, or without it.
    pub(super) fn ask(&self, question: &Question, with_token: bool) -> Result<http::Answer> {
        let token = self.token.as_ref().filter(|_| with_token);
        http::exchange(self.address, &question.text(self.address, token))
            .context(|| format!("{}: {question}", self.contestant.name))
    }

    /// What it printed so far.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    fn first_answer(&mut self, begun: Instant) -> Result<Duration> {
        let question = Question::get("/json");
        loop {
            let odd = match self.ask(&question, true) {
                Ok(answer) if answer.status == 200 => return Ok(begun.elapsed()),
                Ok(answer) => format!("its last answer was {}", answer.status),
                Err(failure) => failure.to_string(),
            };
            let gone = self
                .child
                .try_wait()?
                .map(|status| format!("it ended: {status}"));
            let late = (begun.elapsed() > START_LIMIT)
                .then(|| format!("not ready after {START_LIMIT:?}: {odd}"));
            if let Some(why) = gone.or(late) {
                return Err(Failure::new(format!("{why}\n{}", self.said())));
            }
            rest(Duration::from_millis(1));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(self.pid(), "TERM");
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > END_LIMIT {
                println!(
                    "{} did not end when asked to, and was killed",
                    self.contestant.name
                );
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            rest(Duration::from_millis(5));
        }
        // A line for each request of the race is a lot.
        let _ = fs::remove_file(&self.access_log);
    }
}

/// A request for the comparison; the load has its own in `bench/wrk`.
#[derive(Debug)]
pub(super) struct Question {
    method: &'static str,
    target: String,
    body: Option<String>,
}

impl Question {
    pub(super) fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET",
            target: target.into(),
            body: None,
        }
    }

    pub(super) fn post(target: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            method: "POST",
            target: target.into(),
            body: Some(body.into()),
        }
    }

    fn text(&self, server: SocketAddr, token: Option<&String>) -> String {
        let Self { method, target, .. } = self;
        let mut text =
            format!("{method} {target} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n");
        if let Some(token) = token {
            text += &format!("Authorization: Bearer {token}\r\n");
        }
        let body = self.body.as_deref().unwrap_or_default();
        if self.body.is_some() {
            text += &format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        text + "\r\n" + body
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.method, self.target)?;
        self.body
            .as_ref()
            .map_or(Ok(()), |body| write!(out, " {body}"))
    }
}
