//! From a path to a file of a folder, and never to one outside of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use doyen_core::Unexpected;
use doyen_schema::input::text;

use crate::content::Content;

/// What a path leads to.
pub(super) enum Located {
    File(Content, PathBuf),
    Folder,
    Nothing,
}

/// Returns the decoded names in a raw path, and whether it ends in `/`. Returns `None` if a name
/// cannot be one that clients may see.
pub(super) fn names(rest: &str) -> Option<(Vec<String>, bool)> {
    let is_folder = rest.ends_with('/');
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Some((Vec::new(), is_folder));
    }
    let decoded = rest.split('/').map(|raw| {
        let name = text::segment(raw).ok()?.into_owned();
        is_visible(&name).then_some(name)
    });
    Some((decoded.collect::<Option<_>>()?, is_folder))
}

/// True for a name of a file or folder that clients may see: one name, not hidden, and without
/// characters that separate names or drives on any system.
pub(super) fn is_visible(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}

/// What a path without its last `/` must be.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    File,
    /// A folder, which stands for its file of this name.
    Folder(Option<&'a str>),
}

/// Finds and opens the file.
pub(super) fn locate(
    folder: &Path,
    names: &[String],
    wanted: Wanted<'_>,
) -> Result<Located, Unexpected> {
    let root = fs::canonicalize(folder).map_err(|error| {
        let folder = folder.display();
        Unexpected::new(format!(
            "the folder of files `{folder}` cannot be read: {error}"
        ))
    })?;
    let mut path = root.clone();
    path.extend(names);
    match find(&root, &path, wanted) {
        Ok(located) => Ok(located),
        Err(error) if is_missing(&error) => Ok(Located::Nothing),
        Err(error) => {
            let path = path.display();
            Err(Unexpected::new(format!(
                "the file `{path}` cannot be read: {error}"
            )))
        }
    }
}

fn find(root: &Path, path: &Path, wanted: Wanted<'_>) -> io::Result<Located> {
    // Without symbolic links: what they lead to counts.
    let path = fs::canonicalize(path)?;
    if !is_inside(root, &path) {
        return Ok(Located::Nothing);
    }
    let kind = fs::symlink_metadata(&path)?;
    if kind.is_dir() {
        return match wanted {
            Wanted::Folder(Some(index)) => match find(root, &path.join(index), Wanted::File)? {
                Located::Folder => Ok(Located::Nothing),
                found => Ok(found),
            },
            _ => Ok(Located::Folder),
        };
    }
    // To open a pipe or a device could wait forever.
    if !kind.is_file() || !matches!(wanted, Wanted::File) {
        return Ok(Located::Nothing);
    }
    Ok(Located::File(Content::open(&path)?, path))
}

/// True if the path is below the folder and no part of it is hidden.
fn is_inside(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root).is_ok_and(|inner| {
        inner
            .iter()
            .all(|name| !name.as_encoded_bytes().starts_with(b"."))
    })
}

fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
    let kind = error.kind();
    // A loop of symbolic links has no stable kind.
    [
        NotFound,
        NotADirectory,
        PermissionDenied,
        InvalidInput,
        InvalidFilename,
    ]
    .contains(&kind)
        || error.raw_os_error() == Some(TOO_MANY_LINKS)
}

/// `ELOOP` on Linux.
const TOO_MANY_LINKS: i32 = 40;
