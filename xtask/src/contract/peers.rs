//! Live connections and uploads of a running helpdesk with common clients: `ws`, `eventsource` and
//! `tus-js-client` of npm, and `websockets` of PyPI.

use std::process::Command;

use toolkit::process::output;
use toolkit::{Context, Failure, Result, workspace};

use super::Subject;
use crate::helpdesk::Running;

const FOLDER: &str = "apps/helpdesk/tests/peers";

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let helpdesk = Running::start()?;
    let folder = workspace::root().join(FOLDER);
    let node = |script: &str| {
        let mut node = Command::new("node");
        node.arg(folder.join(script));
        node
    };
    let mut python = subject.tools.python("python");
    python.arg(folder.join("live.py"));
    let mut steps = 0;
    for mut client in [node("live.mjs"), node("uploads.mjs"), python] {
        client.env("BASE_URL", format!("http://{}", helpdesk.address()));
        let text =
            output(&mut client).context(|| format!("the helpdesk's log:\n{}", helpdesk.log()))?;
        let passed = text.lines().filter(|line| line.starts_with("ok ")).count();
        if passed == 0 {
            return Err(Failure::new(format!("no step was run\n{text}")));
        }
        steps += passed;
    }
    Ok(format!("{steps} steps with clients of npm and PyPI"))
}
