//! `doyen openapi diff`: the changes between two OpenAPI documents, of any API.
//!
//! The older document is a file, or a file of a git revision. `app openapi diff` of an application
//! does the same with its own document.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::args::OpenapiDiff;
use crate::failure::{Failure, Result, say};

/// The document that applications commit.
const COMMITTED: &str = "openapi.json";

pub(super) fn diff(args: &OpenapiDiff) -> Result {
    let (before, after) = match (&args.against, args.documents.as_slice()) {
        (None, [old, new]) => (read(old)?, read(new)?),
        (Some(revision), [new]) => (of_revision(revision, new)?, read(new)?),
        (Some(revision), []) => {
            let new = Path::new(COMMITTED);
            (of_revision(revision, new)?, read(new)?)
        }
        (Some(_), _) => {
            return Err(Failure::usage("`--against` is the older document")
                .help("name the newer document only, or leave out `--against`"));
        }
        (None, _) => {
            return Err(Failure::usage("two documents are compared")
                .help("write `doyen openapi diff old.json new.json`, or `--against <revision>`"));
        }
    };
    let found = doyen_schema::diff(&before, &after);
    let breaking = found.iter().filter(|one| one.is_breaking).count();
    if args.json {
        let changes = found.iter().map(|one| {
            json!({"breaking": one.is_breaking, "kind": one.kind, "at": one.at, "detail": one.detail})
        });
        let changes: Vec<Json> = changes.collect();
        let report = json!({
            "breaking": breaking,
            "compatible": found.len() - breaking,
            "changes": changes,
        });
        say(&format!("{report:#}"));
    } else {
        found.iter().for_each(|one| say(&one.to_string()));
        if breaking == 0 {
            say(&format!("{} changes, none breaks clients", found.len()));
        }
    }
    match breaking {
        0 => Ok(()),
        _ => Err(Failure::new(format!(
            "{breaking} of {} changes break clients",
            found.len()
        ))),
    }
}

fn read(path: &Path) -> Result<Json> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    parse(&path.display().to_string(), &text)
}

/// Reads the document of a revision of the repository that contains the file.
fn of_revision(revision: &str, path: &Path) -> Result<Json> {
    let Some(file) = path.file_name() else {
        return Err(Failure::usage(format!("{} is no file", path.display())));
    };
    // A path that begins with `./` is relative to the folder in which git runs.
    let object = format!("{revision}:./{}", file.to_string_lossy());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let output = Command::new("git")
        .args(["show", "--end-of-options", &object])
        .current_dir(folder)
        .output()
        .map_err(|error| Failure::usage(format!("git cannot be run: {error}")))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::usage(format!(
            "git has no document `{object}`: {}",
            why.trim_end()
        ))
        .help("name a branch, a tag or a commit that contains the document"));
    }
    parse(&object, &String::from_utf8_lossy(&output.stdout))
}

/// An empty object would have no change that breaks clients, so the document must be one.
fn parse(name: &str, text: &str) -> Result<Json> {
    let document: Json = serde_json::from_str(text)
        .map_err(|error| Failure::usage(format!("{name} is not JSON: {error}")))?;
    if document["openapi"].is_string() && document["paths"].is_object() {
        return Ok(document);
    }
    Err(
        Failure::usage(format!("{name} is no OpenAPI 3 document with `paths`"))
            .help("write the document in JSON, as `app openapi` prints it"),
    )
}
