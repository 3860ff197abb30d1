//! Finds or installs what the tests need and cargo does not provide.
//!
//! Each part looks first and installs only what is missing. Installed files are in the `xtask`
//! folder of the target directory, under a name derived from the list of packages, so a changed
//! list is installed separately and an old checkout keeps its own. The parts that `bench/race`
//! needs too are in `toolkit::setup`.

mod browser;
mod clamd;
mod curl;
mod mdbook;
mod nats;
mod nextest;
mod node;
mod pgbouncer;
mod postgres_client;
mod prometheus;
mod proxies;
mod redis;
mod slow;
mod sqlite;
mod valgrind;

use std::path::PathBuf;
use std::process::Command;

use toolkit::Result;
use toolkit::setup::{lock, postgres, python};

/// The Python packages of the contract checks.
const PYTHON_PACKAGES: &str = "tools/requirements.txt";

/// The locations of all parts, once [`prepare`] has run.
pub(crate) struct Tools {
    postgres: postgres::Server,
    nextest: String,
    node: node::Modules,
    python: python::Venv,
    browser: PathBuf,
    clamd: PathBuf,
    curl: PathBuf,
    nats: PathBuf,
    pgbouncer: PathBuf,
    postgres_client: PathBuf,
    prometheus: PathBuf,
    redis: PathBuf,
    slow: PathBuf,
    sqlite: PathBuf,
    proxies: Vec<PathBuf>,
}

impl Tools {
    /// Returns the path of a program of the npm packages in `tools/package.json`.
    pub(crate) fn npm(&self, program: &str) -> Command {
        Command::new(self.node.program(program))
    }

    pub(crate) fn browser(&self) -> &std::path::Path {
        &self.browser
    }

    /// Returns the folder of the npm packages.
    pub(crate) fn modules(&self) -> &node::Modules {
        &self.node
    }

    /// Returns the path of a program of the Python packages in `tools/requirements.txt`.
    pub(crate) fn python(&self, program: &str) -> Command {
        Command::new(self.python.program(program))
    }

    /// Environment variables through which the tests find the parts.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let locust = self.python.program("locust").display().to_string();
        [
            (postgres::URL, self.postgres.url.clone()),
            ("DOYEN_TEST_LOCUST", locust),
        ]
    }

    /// Prints a line for each part: name and location.
    pub(crate) fn lines(&self) -> Vec<String> {
        let proxies = self.proxies.iter().map(|path| path.display().to_string());
        vec![
            format!(
                "PostgreSQL  {} ({})",
                self.postgres.url_without_password(),
                self.postgres.from
            ),
            format!("nextest     {}", self.nextest),
            format!("npm         {}", self.node.folder().display()),
            format!("Python      {}", self.python.folder().display()),
            format!("browser     {}", self.browser.display()),
            format!("clamd       {}", self.clamd.display()),
            format!("curl        {}", self.curl.display()),
            format!("NATS        {}", self.nats.display()),
            format!("PgBouncer   {}", self.pgbouncer.display()),
            format!("pg_dump     {}", self.postgres_client.display()),
            format!("Prometheus  {}", self.prometheus.display()),
            format!("Redis       {}", self.redis.display()),
            format!("slow        {}", self.slow.display()),
            format!("sqlite3     {}", self.sqlite.display()),
            format!("proxies     {}", proxies.collect::<Vec<_>>().join(", ")),
        ]
    }
}

/// Finds or installs everything that the tests need. Concurrent runs wait for each other.
pub(crate) fn prepare() -> Result<Tools> {
    let _lock = lock()?;
    Ok(Tools {
        postgres: postgres::find_or_start()?,
        nextest: nextest::find_or_install()?,
        node: node::find_or_install()?,
        python: python::with_packages(PYTHON_PACKAGES)?,
        browser: browser::find_or_install()?,
        clamd: clamd::find_or_install()?,
        curl: curl::find_or_install()?,
        nats: nats::find_or_install()?,
        pgbouncer: pgbouncer::find_or_install()?,
        postgres_client: postgres_client::find_or_install()?,
        prometheus: prometheus::find_or_install()?,
        redis: redis::find_or_install()?,
        slow: slow::find_or_install()?,
        sqlite: sqlite::find_or_install()?,
        proxies: proxies::find_or_install()?,
    })
}

/// Finds or installs Valgrind.
pub(crate) fn valgrind() -> Result<PathBuf> {
    let _lock = lock()?;
    valgrind::find_or_install()
}

/// What the site of the documentation needs.
pub(crate) struct SiteTools {
    pub(crate) mdbook: PathBuf,
    pub(crate) browser: PathBuf,
}

/// Finds or installs mdBook, Chromium, and the npm packages that drive it.
pub(crate) fn site() -> Result<SiteTools> {
    let _lock = lock()?;
    node::find_or_install()?;
    Ok(SiteTools {
        mdbook: mdbook::find_or_install()?,
        browser: browser::find_or_install()?,
    })
}
