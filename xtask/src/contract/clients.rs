//! Clients that `doyen client` generates from the document, compiled and used against a running
//! helpdesk.

use std::path::Path;
use std::process::Command;

use toolkit::process::{cargo, output};
use toolkit::{Context, Failure, Result, workspace};

use super::Subject;
use crate::helpdesk::Running;

const PROGRAMS: &str = "apps/helpdesk/tests/peers";

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let folder = workspace::tools()?.join("clients");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context(|| format!("removing {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).context(|| format!("creating {}", folder.display()))?;
    let helpdesk = Running::start()?;
    let base = format!("http://{}", helpdesk.address());
    let mut steps = 0;
    for mut program in [typescript(subject, &folder)?, python(subject, &folder)?] {
        program.env("BASE_URL", &base);
        let text =
            output(&mut program).context(|| format!("the helpdesk's log:\n{}", helpdesk.log()))?;
        let passed = text.lines().filter(|line| line.starts_with("ok ")).count();
        if passed == 0 {
            return Err(Failure::new(format!("no step was run\n{text}")));
        }
        steps += passed;
    }
    Ok(format!(
        "{steps} steps with clients in TypeScript and Python"
    ))
}

/// Generates the client of TypeScript, and compiles it with the program that uses it.
fn typescript(subject: &Subject<'_>, folder: &Path) -> Result<Command> {
    let modules = subject.tools.modules();
    std::os::unix::fs::symlink(
        modules.folder().join("node_modules"),
        folder.join("node_modules"),
    )
    .context(|| "linking the npm packages".to_owned())?;
    generate(subject, "typescript", &folder.join("client-typescript"))?;
    write(&folder.join("package.json"), "{\"type\": \"module\"}")?;
    let program = workspace::read(&format!("{PROGRAMS}/client.ts"))?;
    write(&folder.join("client.ts"), &program)?;
    output(
        Command::new(modules.program("tsc"))
            .args(["--strict", "--target", "es2022", "--module", "nodenext"])
            .args(["--types", "node", "--outDir", "compiled", "client.ts"])
            .current_dir(folder),
    )?;
    let mut node = Command::new("node");
    node.arg(folder.join("compiled/client.js"));
    Ok(node)
}

/// Generates the package of Python.
fn python(subject: &Subject<'_>, folder: &Path) -> Result<Command> {
    generate(subject, "python", &folder.join("helpdesk_client"))?;
    let mut python = subject.tools.python("python");
    python
        .arg(workspace::root().join(PROGRAMS).join("client.py"))
        .env("PYTHONPATH", folder);
    Ok(python)
}

/// Runs `doyen client`, with the generators that the gate has installed.
fn generate(subject: &Subject<'_>, language: &str, out: &Path) -> Result {
    let programs = [
        subject.tools.modules().program("x"),
        subject.tools.python("x").get_program().into(),
    ];
    let mut path: Vec<_> = programs
        .iter()
        .filter_map(|program| program.parent().map(Path::to_path_buf))
        .collect();
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let path = std::env::join_paths(path).context(|| "PATH".to_owned())?;
    output(
        cargo()
            .args(["run", "--locked", "--quiet", "--package", "doyen-cli", "--"])
            .args(["client", language, "--document"])
            .arg(&subject.document)
            .arg("--out")
            .arg(out)
            .env("PATH", path),
    )?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result {
    std::fs::write(path, text).context(|| format!("writing {}", path.display()))
}
