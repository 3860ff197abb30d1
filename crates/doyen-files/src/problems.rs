//! The problems of uploads and downloads that clients receive.

use std::time::Duration;

use doyen_core::problem::Plain;
use doyen_core::{Kind, Problem, ProblemInfo, Refusal, Unexpected};

use crate::store::StoreError;

/// Seconds after which a client may repeat an upload that a missing scanner or store has refused.
const RETRY_SECONDS: u32 = 10;

macro_rules! problems {
    ($($name:ident = $code:literal, $kind:ident, $title:literal, $description:literal;)*) => {
        $(pub(crate) static $name: ProblemInfo =
            ProblemInfo { code: $code, kind: Kind::$kind, title: $title, description: $description };)*
    };
}

problems! {
    TOO_LARGE = "file_too_large", TooLarge, "File Too Large", "The file exceeds the maximum size. `detail` gives the limit in bytes. Send a smaller file.";
    TYPE_NOT_ALLOWED = "file_type_not_allowed", UnsupportedMediaType, "File Type Not Allowed", "The route does not accept files of this media type. `detail` lists the accepted types.";
    TYPE_MISMATCH = "file_type_mismatch", Invalid, "File Type Mismatch", "The content of the file is not of the declared media type. Send the file with its own media type.";
    INFECTED = "file_infected", Invalid, "File Infected", "The virus scanner has found malware in the file. It was not stored.";
    ARCHIVE_REFUSED = "archive_refused", Invalid, "Archive Refused", "The archive cannot be accepted: it is damaged or encrypted, unpacks to too much, or has members that could leave a folder. `detail` says which.";
    TOO_MANY_FILES = "too_many_files", Invalid, "Too Many Files", "The form has more files or fields than the route accepts. `detail` gives the limit.";
    MALFORMED_FORM = "malformed_form", Malformed, "Malformed Form", "The body is not a complete multipart form. `detail` says what is wrong.";
    SCANNER_UNAVAILABLE = "scanner_unavailable", Unavailable, "Scanner Unavailable", "The virus scanner does not respond, so the file was not accepted. Retry after the number of seconds in `Retry-After`.";
    STORAGE_UNAVAILABLE = "storage_unavailable", Unavailable, "Storage Unavailable", "The file could not be stored. Retry after the number of seconds in `Retry-After`.";
}

/// Returns the problems that receiving a file can cause.
pub(crate) fn intake() -> [&'static ProblemInfo; 7] {
    [
        &TOO_LARGE,
        &TYPE_NOT_ALLOWED,
        &TYPE_MISMATCH,
        &INFECTED,
        &ARCHIVE_REFUSED,
        &SCANNER_UNAVAILABLE,
        &STORAGE_UNAVAILABLE,
    ]
}

pub(crate) fn too_large(limit: u64) -> Refusal {
    Plain::new(&TOO_LARGE)
        .detail(format!("a file can have at most {limit} bytes"))
        .into()
}

pub(crate) fn scanner_unavailable() -> Refusal {
    Plain::new(&SCANNER_UNAVAILABLE)
        .retry_after(RETRY_SECONDS)
        .into()
}

pub(crate) fn malformed(detail: impl Into<String>) -> Refusal {
    Plain::new(&MALFORMED_FORM).detail(detail).into()
}

/// The store of files does not work. Retry after the number of seconds in `Retry-After`.
#[derive(Debug)]
pub struct StorageUnavailable(StoreError);

impl From<StoreError> for StorageUnavailable {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

// The error of a handler that is no problem would otherwise name this type.
#[diagnostic::do_not_recommend]
impl Problem for StorageUnavailable {
    fn info(&self) -> &'static ProblemInfo {
        &STORAGE_UNAVAILABLE
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&STORAGE_UNAVAILABLE]
    }
    fn retry_after(&self) -> Option<u32> {
        Some(RETRY_SECONDS)
    }
    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Errors when keeping or removing a file.
#[derive(Debug, Problem)]
pub enum KeepFile {
    /// The store does not work.
    #[problem(transparent)]
    Storage(StorageUnavailable),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The file was not scanned yet. Retry later.
#[derive(Debug, Problem)]
#[problem(conflict, code = "not_scanned")]
pub struct NotScanned;

/// The virus scanner has found malware in the file, and its content was removed.
#[derive(Debug, Problem)]
#[problem(gone, code = "file_removed")]
pub struct FileRemoved;

/// Errors when reading the content of a file.
#[derive(Debug, Problem)]
pub enum OpenFile {
    /// The file was not scanned yet.
    #[problem(transparent)]
    NotScanned(NotScanned),
    /// The file was infected.
    #[problem(transparent)]
    Removed(FileRemoved),
    /// The store does not work.
    #[problem(transparent)]
    Storage(StorageUnavailable),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Pause between two attempts of a background scan while the scanner is unavailable.
pub(crate) const SCAN_PAUSE: Duration = Duration::from_secs(RETRY_SECONDS as u64);
