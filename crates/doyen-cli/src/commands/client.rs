//! `doyen client`: a client in another language, from the OpenAPI document.
//!
//! The code is written by generators that are common in that language: `openapi-typescript` with
//! `openapi-fetch`, and `openapi-python-client`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::args::{Client, Language};
use crate::failure::{Failure, Result, say};
use crate::project::Project;

/// The client of TypeScript, next to the generated types.
const TYPESCRIPT_CLIENT: &str = "\
// Written by `doyen client typescript`.

import createClient, { type ClientOptions } from \"openapi-fetch\";
import type { paths } from \"./api.js\";

/** Creates a client of the API. */
export function client(options: ClientOptions) {
  return createClient<paths>(options);
}
";

/// A generator: its own program, or one that fetches and runs it.
struct Generator {
    program: &'static str,
    /// Programs that fetch it, each with the arguments that name its version.
    fetchers: &'static [(&'static str, &'static [&'static str])],
    help: &'static str,
}

const TYPESCRIPT: Generator = Generator {
    program: "openapi-typescript",
    fetchers: &[("npx", &["--yes", "openapi-typescript@7.13.0"])],
    help: "install Node.js, whose program `npx` fetches it, or run `npm install openapi-typescript`",
};

const PYTHON: Generator = Generator {
    program: "openapi-python-client",
    fetchers: &[
        ("uvx", &["openapi-python-client@0.29.1"]),
        ("pipx", &["run", "openapi-python-client==0.29.1"]),
    ],
    help: "install uv or pipx, which fetch it, or run `pip install openapi-python-client`",
};

pub(super) fn run(args: &Client) -> Result {
    let document = match &args.document {
        Some(path) => absolute(path)?,
        None => {
            let project = Project::find()?;
            let path = project.root.join("target/openapi.json");
            write(&path, &document_of(&project)?)?;
            path
        }
    };
    let out = match (&args.out, args.language) {
        (Some(out), _) => out.clone(),
        (None, Language::Typescript) => PathBuf::from("clients/typescript"),
        (None, Language::Python) => PathBuf::from("clients/python/api_client"),
    };
    match args.language {
        Language::Typescript => typescript(&document, &out)?,
        Language::Python => python(&document, &out)?,
    }
    say(&format!("wrote {}", out.display()));
    Ok(())
}

/// Writes `api.d.ts` and `client.ts`.
fn typescript(document: &Path, out: &Path) -> Result {
    write(&out.join("client.ts"), TYPESCRIPT_CLIENT)?;
    let mut command = TYPESCRIPT.command()?;
    // A field with a default may be left out of a request.
    command.arg("--default-non-nullable=false").arg(document);
    succeed(command.arg("-o").arg(out.join("api.d.ts")))
}

/// Writes a package.
fn python(document: &Path, out: &Path) -> Result {
    let parent = out.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|error| Failure::file("create", parent, &error))?;
    let mut command = PYTHON.command()?;
    command
        .args(["generate", "--overwrite", "--meta", "none", "--path"])
        .arg(document)
        .arg("--output-path")
        .arg(out);
    succeed(&mut command)
}

impl Generator {
    fn command(&self) -> Result<Command> {
        if is_installed(self.program) {
            return Ok(Command::new(self.program));
        }
        let mut fetchers = self.fetchers.iter();
        let found = fetchers.find(|(program, _)| is_installed(program));
        let (program, arguments) = found.ok_or_else(|| {
            Failure::new(format!("`{}` is not installed", self.program)).help(self.help)
        })?;
        let mut command = Command::new(program);
        command.args(*arguments);
        Ok(command)
    }
}

/// True if the search path has the program.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Asks the application for its document.
fn document_of(project: &Project) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--", "openapi"])
        .current_dir(&project.root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("cargo cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new("`cargo run -- openapi` failed"));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| Failure::new(format!("`cargo run -- openapi` printed no text: {error}")))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize()
        .map_err(|error| Failure::file("read", path, &error))
}

fn write(path: &Path, text: &str) -> Result {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    fs::write(path, text).map_err(|error| Failure::file("write", path, &error))
}

fn succeed(command: &mut Command) -> Result {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status();
    let status =
        status.map_err(|error| Failure::new(format!("`{name}` cannot be run: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{name}` failed ({status}); its messages are above"
    )))
}
