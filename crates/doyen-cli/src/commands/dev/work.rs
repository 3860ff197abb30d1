//! The loop: build, restart, wait for a change.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};

use super::build::build;
use super::process::Process;
use super::sources::Sources;
use crate::args::Dev;
use crate::failure::{Failure, Result, say};
use crate::project::Project;

/// Works until a signal ends it.
pub(super) async fn work(args: &Dev, project: &Project) -> Result {
    let listener = TcpListener::bind(args.bind).map_err(|error| {
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
            if let Some(program) = build(&self.project.root).await? {
                if self.program.is_none() {
                    self.sources.note(Some(&program));
                }
                self.program = Some(program);
                self.restart(began).await?;
            } else if self.process.is_some() {
                say("dev: the build failed; the former one goes on");
            } else {
                say("dev: the build failed; waiting for a change");
            }
            began = self.wait().await;
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
        if process.ready().await {
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
