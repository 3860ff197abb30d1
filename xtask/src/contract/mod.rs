//! The public contract of the helpdesk and its documentation page, checked from outside by
//! independent tools.
//!
//! Each gate returns one line that states what it checked, or fails with its findings. A finding is
//! corrected at its source. A linter rule that does not fit is disabled in the configuration in
//! `tools/`, with a reason.

mod clients;
mod fuzz;
mod lint;
mod load;
mod page;
mod peers;
mod snapshot;
mod standard;

pub(crate) use snapshot::first_difference;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::setup::Tools;
use crate::steps::seconds;
use toolkit::{Context, Result, workspace};

use crate::helpdesk;

/// True if the gates here and the generated files are checked.
pub(crate) const HELPDESK_IS_READY: bool = true;

/// A check of the contract.
struct Gate {
    name: &'static str,
    run: fn(&Subject<'_>) -> Result<String>,
}

/// Gates that only need the document.
const ON_A_DOCUMENT: [Gate; 3] = [
    Gate {
        name: "OpenAPI 3.1 schema",
        run: standard::run,
    },
    Gate {
        name: "Redocly",
        run: lint::redocly,
    },
    Gate {
        name: "Spectral with OWASP",
        run: lint::spectral,
    },
];

/// Gates that need the program, cheapest first.
const ON_THE_HELPDESK: [Gate; 8] = [
    Gate {
        name: "committed document",
        run: snapshot::run,
    },
    Gate {
        name: "documentation page, modules",
        run: page::modules,
    },
    Gate {
        name: "documentation page, browser",
        run: page::browser,
    },
    Gate {
        name: "demo page, two windows",
        run: page::demo,
    },
    Gate {
        name: "live connections, common clients",
        run: peers::run,
    },
    Gate {
        name: "generated clients",
        run: clients::run,
    },
    Gate {
        name: "load tests, locust and k6",
        run: load::run,
    },
    Gate {
        name: "schemathesis",
        run: fuzz::run,
    },
];

/// The subject of the gates.
struct Subject<'a> {
    /// The document that the helpdesk prints, in a file.
    document: PathBuf,
    tools: &'a Tools,
}

impl Subject<'_> {
    fn text(&self) -> Result<String> {
        std::fs::read_to_string(&self.document)
            .context(|| format!("reading {}", self.document.display()))
    }
}

/// Runs every gate on the document that the helpdesk prints.
pub(crate) fn check(tools: &Tools) -> Result {
    if !HELPDESK_IS_READY {
        println!(
            "contract: NOT CHECKED, the helpdesk is not ready (HELPDESK_IS_READY in xtask/src/contract/mod.rs)"
        );
        return Ok(());
    }
    let document = workspace::tools()?.join("openapi.json");
    std::fs::write(&document, helpdesk::prints(&["openapi"], &[])?)
        .context(|| format!("writing {}", document.display()))?;
    check_document(&document, tools, &ON_A_DOCUMENT)?;
    check_document(&document, tools, &ON_THE_HELPDESK)
}

/// Runs the gates on another document, for work on the settings of the linters.
pub(crate) fn check_file(document: &Path, tools: &Tools) -> Result {
    check_document(document, tools, &ON_A_DOCUMENT)
}

fn check_document(document: &Path, tools: &Tools, gates: &[Gate]) -> Result {
    let subject = Subject {
        document: document.to_path_buf(),
        tools,
    };
    for gate in gates {
        let started = Instant::now();
        let result = (gate.run)(&subject).context(|| format!("contract: {}", gate.name))?;
        println!(
            "contract: {}: {result} ({})",
            gate.name,
            seconds(started.elapsed())
        );
    }
    Ok(())
}
