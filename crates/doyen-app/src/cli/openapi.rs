//! The command `openapi`: prints the document, and compares two.

use std::path::Path;

use serde_json::Value as Json;

use super::{Failed, say};
use crate::Built;
use crate::fault::Fault;

/// Prints the document of a version.
pub(super) fn print(built: &Built, version: Option<&str>) -> Result<(), Failed> {
    let document = built.api_document();
    let Some(version) = version else {
        say(document.text().trim_end());
        return Ok(());
    };
    let Some(text) = document.text_of(version) else {
        let names = document
            .versions()
            .map_or_else(Vec::new, |all| all.live().collect());
        return Err(Fault::new(match names.as_slice() {
            [] => "the API has no versions: leave out `--api-version`".to_owned(),
            names => format!(
                "`{version}` is no version of the API: write {}",
                names.join(", ")
            ),
        })
        .into());
    };
    say(text.trim_end());
    Ok(())
}

/// Lists the changes from an older document to a newer one, or to that of the application.
pub(super) fn diff(
    old: &Path,
    new: Option<&Path>,
    own: impl FnOnce() -> Result<Built, Failed>,
) -> Result<(), Failed> {
    let before = read(old)?;
    let after = match new {
        Some(path) => read(path)?,
        None => serde_json::from_str(own()?.document())?,
    };
    let found = doyen_schema::diff(&before, &after);
    for one in &found {
        say(&one.to_string());
    }
    let breaking = found.iter().filter(|one| one.is_breaking).count();
    match breaking {
        0 => {
            say(&format!("{} changes, none breaks clients", found.len()));
            Ok(())
        }
        _ => Err(Fault::new(format!(
            "{breaking} of {} changes break clients",
            found.len()
        ))
        .into()),
    }
}

fn read(path: &Path) -> Result<Json, Failed> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::new(format!("{} cannot be read: {error}", path.display())))?;
    let json = serde_json::from_str(&text);
    Ok(json.map_err(|error| Fault::new(format!("{} is not JSON: {error}", path.display())))?)
}
