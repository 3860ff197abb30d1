//! The reference service in the gate: built like a user's build, run for its output, and started on
//! its own database.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use toolkit::process::{cargo, free_port, output, pause, run};
use toolkit::{Context, Failure, Result};
use toolkit::{http, workspace};

/// The committed contract of the helpdesk.
pub(crate) const CONTRACT: &str = "apps/helpdesk/openapi.json";

/// The password of all users of the development seed.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Builds the helpdesk and returns what `helpdesk <args>` prints with these settings.
pub(crate) fn prints(args: &[&str], settings: &[(&str, &str)]) -> Result<String> {
    output(
        Command::new(build()?)
            .args(args)
            .envs(settings.iter().copied())
            .current_dir(workspace::root()),
    )
}

/// Builds the helpdesk and returns its path.
pub(crate) fn build() -> Result<PathBuf> {
    run(cargo().args(["build", "--quiet", "--locked", "--package", "helpdesk"]))?;
    Ok(workspace::target()?
        .join("debug")
        .join(format!("helpdesk{}", std::env::consts::EXE_SUFFIX)))
}

/// A running helpdesk with a new SQLite database and demo data. Dropping it ends the process.
pub(crate) struct Running {
    child: Child,
    address: SocketAddr,
    admin: SocketAddr,
    folder: PathBuf,
}

impl Running {
    /// Starts it on free ports and waits until it is ready.
    pub(crate) fn start() -> Result<Self> {
        let binary = build()?;
        let folder = std::env::temp_dir().join(format!("doyen-contract-{}", std::process::id()));
        std::fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
        let log = File::create(folder.join("helpdesk.log"))?;
        let (address, admin) = (free_port()?, free_port()?);
        let child = Command::new(binary)
            .current_dir(workspace::root())
            .env("APP_ENV", "dev")
            .env("APP_SERVER__BIND", address.to_string())
            .env("APP_ADMIN__BIND", admin.to_string())
            .env(
                "DATABASE_URL",
                format!("sqlite://{}", folder.join("helpdesk.db").display()),
            )
            // Thousands of requests would only hit the rate limit.
            .env("APP_LIMITS__DEFAULT", "1000000/1m")
            .env("APP_LIMITS__ANONYMOUS", "1000000/1m")
            .env_remove("REDIS_URL")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context(|| "starting the helpdesk".into())?;
        let mut running = Self {
            child,
            address,
            admin,
            folder,
        };
        running.wait_until_ready()?;
        Ok(running)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of its metrics and its console.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Returns the log of the helpdesk so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("helpdesk.log")).unwrap_or_default()
    }

    /// Creates a customer with this address and the common password.
    pub(crate) fn register(&self, email: &str) -> Result {
        let new = json!({ "email": email, "password": PASSWORD, "name": "Another Customer" });
        let answer = http::post_json(self.address, "/v1/auth/register", &new)
            .context(|| "registering at the helpdesk".into())?;
        match answer.status {
            201 => Ok(()),
            status => Err(Failure::new(format!(
                "registering {email} answered {status}: {}",
                answer.text()
            ))),
        }
    }

    /// True if it is still running: a crash is a finding.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn wait_until_ready(&mut self) -> Result {
        let started = Instant::now();
        loop {
            if http::get(self.address, "/readyz").is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if !self.is_alive() {
                return Err(Failure::new(format!(
                    "the helpdesk ended before it was ready. Its log:\n{}",
                    self.log()
                )));
            }
            if started.elapsed() > START_TIMEOUT {
                return Err(Failure::new(format!(
                    "the helpdesk was not ready after {START_TIMEOUT:?}. Its log:\n{}",
                    self.log()
                )));
            }
            pause();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
