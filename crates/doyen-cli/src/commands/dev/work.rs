//! The loop: build, restart, wait for a change.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use tokio::signal::unix::{SignalKind, signal};

use super::build::build;
use super::process::Process;
use super::sources::Sources;
use crate::args::Dev;
use crate::failure::{Failure, Result, say};
use crate::project::Project;

/// Maximum time until an address is free.
const BIND_TIMEOUT: Duration = Duration::from_secs(1);

/// Works until a signal ends it.
pub(super) async fn work(args: &Dev, project: &Project) -> Result {
    let listener = bind(args.bind).await.map_err(|error| {
        Failure::new(format!("cannot listen on {}: {error}", args.bind))
            .help("stop the process that uses the address, or choose another one with `--bind`")
    })?;
    let failed =
        |error: std::io::Error| Failure::new(format!("signals cannot be received: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut session = Session {
        listener,
        project,
        sources: Sources::new(&project.root),
        program: None,
        process: None,
        opens: args.open,
    };
    let done = tokio::select! {
        failed = session.run() => failed,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    if let Some(process) = session.process.take() {
        process.stop().await;
    }
    done
}

/// Opens the address. The application of a `doyen dev` that was killed ends a moment after it.
async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let began = Instant::now();
    loop {
        let bound = TcpListener::bind(address);
        let is_used = matches!(&bound, Err(error) if error.kind() == ErrorKind::AddrInUse);
        if !is_used || began.elapsed() > BIND_TIMEOUT {
            return bound;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Session<'a> {
    listener: TcpListener,
    project: &'a Project,
    sources: Sources,
    /// The program of the last build.
    program: Option<PathBuf>,
    process: Option<Process>,
    /// The page is to be opened after the first start.
    opens: bool,
}

impl Session<'_> {
    async fn run(&mut self) -> Result {
        let mut began = Instant::now();
        loop {
            // What changes during the build is built by the next one.
            self.sources.note(self.program.as_deref());
            let build_began = SystemTime::now();
            match build(&self.project.root).await {
                Ok(Some(program)) => {
                    self.sources.built(&program, build_began);
                    self.program = Some(program);
                    self.restart(began).await?;
                }
                Ok(None) => say(&format!("dev: the build failed; {}", self.state())),
                // The user edits what is wrong, such as a program that is gone.
                Err(failure) if self.program.is_some() => {
                    say(&format!("{failure}\ndev: {}", self.state()));
                }
                Err(failure) => return Err(failure),
            }
            began = self.wait().await;
        }
    }

    fn state(&self) -> &'static str {
        match self.process {
            Some(_) => "the former one goes on",
            None => "waiting for a change",
        }
    }

    /// Replaces the process. Connections wait in the queue of the listener.
    async fn restart(&mut self, began: Instant) -> Result {
        let Some(program) = &self.program else {
            return Ok(());
        };
        if let Some(former) = self.process.take() {
            former.stop().await;
        }
        let mut process = Process::start(program, &self.project.root, &self.listener)?;
        let is_ready = tokio::select! {
            is_ready = process.ready() => is_ready,
            // A start that hangs is replaced after a change.
            _ = self.sources.changed(Some(program)) => false,
        };
        if is_ready {
            let seconds = began.elapsed().as_secs_f64();
            let address = self.listener.local_addr();
            let address = address.map_or_else(|_| String::new(), |address| address.to_string());
            say(&format!(
                "dev: serves http://{address} after {seconds:.1} s"
            ));
            if std::mem::take(&mut self.opens) {
                open(&format!("http://{address}/docs"));
            }
        }
        self.process = Some(process);
        Ok(())
    }

    /// Waits for a change. Says so if the application ends before.
    async fn wait(&mut self) -> Instant {
        let changed = self.sources.changed(self.program.as_deref());
        tokio::pin!(changed);
        if let Some(process) = &mut self.process {
            tokio::select! {
                began = &mut changed => return began,
                how = process.ended() => {
                    say(&format!("dev: the application ended ({how}); waiting for a change"));
                }
            }
            self.process = None;
        }
        changed.await
    }
}

/// Opens a page in the browser, if there is one.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    if std::process::Command::new(program)
        .arg(url)
        .spawn()
        .is_err()
    {
        say(&format!("dev: `{program}` is missing; open {url}"));
    }
}
