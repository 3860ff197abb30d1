//! `doyen doctor`: checks the toolchain, the database, the ports, the disk and the settings.
//!
//! It changes nothing and prints no secret. Inside an application it reads the settings of the
//! environment in `APP_ENV` from the files in `config` and from environment variables.

mod database;
mod machine;
mod settings;

use crate::args::Doctor;
use crate::failure::{Failure, Result, say};
use crate::project::Project;
use settings::Settings;

/// The result of one check.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    state: State,
    about: &'static str,
    text: String,
    /// What to do.
    help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    /// Usable, but unwise.
    Warning,
    /// Not usable.
    Failed,
}

impl Finding {
    fn ok(about: &'static str, text: impl Into<String>) -> Self {
        Self {
            state: State::Ok,
            about,
            text: text.into(),
            help: None,
        }
    }

    fn warning(about: &'static str, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            state: State::Warning,
            help: Some(help.into()),
            ..Self::ok(about, text)
        }
    }

    fn failed(about: &'static str, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            state: State::Failed,
            help: Some(help.into()),
            ..Self::ok(about, text)
        }
    }

    fn print(&self) {
        let mark = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "FAILED",
        };
        say(&format!("{mark:>8}  {:<12} {}", self.about, self.text));
        if let Some(help) = &self.help {
            say(&format!("{:>8}  {:<12} → {help}", "", ""));
        }
    }
}

pub(super) fn run(_: &Doctor) -> Result {
    let mut findings = machine::toolchain();
    match Project::find() {
        Ok(project) => {
            findings.extend(machine::disk(&project.root));
            let settings = Settings::read(&project.root)?;
            findings.extend(database::check(&project.root, &settings));
            findings.extend(settings.ports());
            findings.extend(settings.unwise());
        }
        Err(_) => findings.push(Finding::ok(
            "application",
            "none in this folder: only the machine is checked",
        )),
    }
    findings.push(machine::clock());
    findings.iter().for_each(Finding::print);
    let failed = findings
        .iter()
        .filter(|finding| finding.state == State::Failed)
        .count();
    match failed {
        0 => Ok(()),
        count => Err(Failure::new(format!(
            "{count} of {} checks failed",
            findings.len()
        ))),
    }
}
