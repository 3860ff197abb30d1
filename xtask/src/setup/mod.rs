//! What the tests need beside cargo: found where it is, installed where we may, asked for where we may not.
//!
//! Quick when all is there: each part looks first and installs only what is missing. What we install ourselves lands in the
//! `xtask` folder of the target directory, under a name made from the list it was installed from, so a changed list is
//! installed anew and an old checkout keeps its own.

mod bench;
mod browser;
mod nextest;
mod node;
mod postgres;
mod python;
mod redis;
mod slow;
mod stamp;
mod system;
mod valgrind;

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

pub(crate) use self::bench::Tools as BenchTools;
use crate::failure::{Context, Result};
use crate::workspace;

/// Where everything is, once [`prepare`] is through.
pub(crate) struct Tools {
    postgres: postgres::Server,
    nextest: String,
    node: node::Modules,
    python: python::Venv,
    browser: PathBuf,
    redis: PathBuf,
    slow: PathBuf,
}

impl Tools {
    /// A program of the npm packages in `tools/package.json`.
    pub(crate) fn npm(&self, program: &str) -> Command {
        Command::new(self.node.program(program))
    }

    pub(crate) fn browser(&self) -> &std::path::Path {
        &self.browser
    }

    /// A program of the Python packages in `tools/requirements.txt`.
    pub(crate) fn python(&self, program: &str) -> Command {
        Command::new(self.python.program(program))
    }

    /// What a test reads to find the real parts.
    pub(crate) fn environment(&self) -> [(&'static str, String); 1] {
        [(postgres::URL, self.postgres.url.clone())]
    }

    /// A line for each part: what it is and where.
    pub(crate) fn lines(&self) -> Vec<String> {
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
            format!("Redis       {}", self.redis.display()),
            format!("slow        {}", self.slow.display()),
        ]
    }
}

/// Finds or installs everything that the tests need. Two at once take turns.
pub(crate) fn prepare() -> Result<Tools> {
    let _turn = turn()?;
    Ok(Tools {
        postgres: postgres::find_or_start()?,
        nextest: nextest::find_or_install()?,
        node: node::find_or_install()?,
        python: python::find_or_install()?,
        browser: browser::find_or_install()?,
        redis: redis::find_or_install()?,
        slow: slow::find_or_install()?,
    })
}

/// Finds or installs what the bench needs of these.
pub(crate) fn for_bench(postgres: bool, python: bool) -> Result<BenchTools> {
    let _turn = turn()?;
    bench::prepare(postgres, python)
}

/// Finds or installs what counts instructions.
pub(crate) fn valgrind() -> Result<PathBuf> {
    let _turn = turn()?;
    valgrind::find_or_install()
}

fn turn() -> Result<File> {
    let path = workspace::tools()?.join("setup.lock");
    let turn = File::create(&path).context(|| format!("opening {}", path.display()))?;
    turn.lock()?;
    Ok(turn)
}
