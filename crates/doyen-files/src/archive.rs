//! The limits of archives, checked before anyone unpacks them.
//!
//! A virus scanner is no guard against archives that unpack to gigabytes. Every member is unpacked
//! here, without being stored, and counted: what an archive says about itself is not trusted.

mod zip;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use doyen_core::problem::Plain;
use doyen_core::{Refusal, Unexpected};

use crate::problems::ARCHIVE_REFUSED;
use crate::settings::FileSettings;

/// What an archive may contain.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveLimits {
    /// Members, including those of archives in it.
    pub entries: u64,
    /// Unpacked bytes of all members.
    pub bytes: u64,
    /// Unpacked bytes for each packed byte of a member.
    pub ratio: u64,
    /// Depth of archives in archives.
    pub depth: u32,
}

impl ArchiveLimits {
    pub(crate) const fn of(settings: &FileSettings) -> Self {
        Self {
            entries: settings.archive_entries,
            bytes: settings.archive_bytes.bytes(),
            ratio: settings.archive_ratio,
            depth: settings.archive_depth,
        }
    }
}

/// Why an archive is refused.
#[derive(Debug)]
pub(crate) enum ArchiveError {
    /// The reason, for the client.
    Refused(String),
    /// It could not be read.
    Io(io::Error),
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        ArchiveError::Io(error)
    }
}

impl From<ArchiveError> for Refusal {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Refused(why) => Plain::new(&ARCHIVE_REFUSED).detail(why).into(),
            ArchiveError::Io(error) => Unexpected::new(error).into(),
        }
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, ArchiveError> {
    Err(ArchiveError::Refused(why.into()))
}

/// True for the first bytes of a ZIP archive.
pub(crate) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// What is left of the limits, over an archive and those in it.
struct Budget<'a> {
    limits: ArchiveLimits,
    entries: u64,
    bytes: u64,
    scratch: &'a Path,
}

/// Checks an archive. Archives in it are unpacked into files without a name in `scratch`.
pub(crate) fn check(
    archive: &mut (impl Read + Seek),
    limits: ArchiveLimits,
    scratch: &Path,
) -> Result<(), ArchiveError> {
    let mut budget = Budget {
        limits,
        entries: limits.entries,
        bytes: limits.bytes,
        scratch,
    };
    check_level(archive, 1, &mut budget)
}

fn check_level(
    archive: &mut (impl Read + Seek),
    depth: u32,
    budget: &mut Budget<'_>,
) -> Result<(), ArchiveError> {
    let ArchiveLimits { entries, .. } = budget.limits;
    if depth > budget.limits.depth {
        let depth = budget.limits.depth;
        return refused(format!("archives are nested more than {depth} deep"));
    }
    let members = zip::members(archive, budget.entries, || {
        format!("the archive has more than {entries} members")
    })?;
    budget.entries -= members.len() as u64;
    for member in &members {
        check_path(&member.name)?;
        if member.is_link {
            return refused("a member is a link or a special file");
        }
    }
    for member in &members {
        let nested = unpack(archive, member, budget)?;
        if let Some(mut nested) = nested {
            check_level(&mut nested, depth + 1, budget)?;
        }
    }
    Ok(())
}

/// Refuses a name that could lead out of a folder.
fn check_path(name: &[u8]) -> Result<(), ArchiveError> {
    let is_drive = name.len() >= 2 && name[0].is_ascii_alphabetic() && name[1] == b':';
    let is_absolute = name.starts_with(b"/") || name.starts_with(b"\\") || is_drive;
    let mut parts = name.split(|byte| matches!(byte, b'/' | b'\\'));
    if is_absolute || name.contains(&0) || parts.any(|part| part == b"..") {
        return refused("a member has an absolute path, or one that leaves the folder");
    }
    Ok(())
}

/// Unpacks and counts a member. Returns its content if it is an archive.
fn unpack(
    archive: &mut (impl Read + Seek),
    member: &zip::Member,
    budget: &mut Budget<'_>,
) -> Result<Option<File>, ArchiveError> {
    let ArchiveLimits { bytes, ratio, .. } = budget.limits;
    // A small member may be repetitive.
    let allowed = member.packed.saturating_mul(ratio).max(MIN_UNPACKED_BYTES);
    let mut content = zip::content(archive, member)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut nested: Option<File> = None;
    let mut size = 0;
    loop {
        let read = match fill(&mut content, &mut chunk) {
            Ok(read) => read,
            Err(error) if is_damaged(&error) => return refused("a member is damaged"),
            Err(error) => return Err(error.into()),
        };
        let chunk = &chunk[..read];
        if read == 0 {
            break;
        }
        if size == 0 && is_archive(chunk) {
            nested = Some(scratch_file(budget.scratch)?);
        }
        size += read as u64;
        if size > allowed {
            return refused(format!(
                "a member unpacks to more than {ratio} times its packed size"
            ));
        }
        let Some(left) = budget.bytes.checked_sub(read as u64) else {
            return refused(format!("the archive unpacks to more than {bytes} bytes"));
        };
        budget.bytes = left;
        if let Some(file) = &mut nested {
            io::Write::write_all(file, chunk)?;
        }
    }
    if size != member.unpacked {
        return refused("a member does not have the size that the archive states");
    }
    Ok(nested)
}

/// Reads until the buffer is full or the content ends.
fn fill(content: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match content.read(&mut into[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

const CHUNK_BYTES: usize = 64 << 10;

/// Unpacked size of a member to which the ratio does not apply.
const MIN_UNPACKED_BYTES: u64 = 64 << 10;

fn is_damaged(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// Creates a file that has no name, so that nothing is left of it after a crash.
pub(crate) fn scratch_file(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let path: PathBuf = folder.join(uuid::Uuid::now_v7().to_string());
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
