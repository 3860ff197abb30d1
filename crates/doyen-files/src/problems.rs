//! The problems of uploads and downloads that clients receive.

use std::time::Duration;

use doyen_core::problem::Plain;
use doyen_core::{ErrorStatus, Kind, Problem, ProblemInfo, Refusal, Unexpected};

use crate::store::StoreError;

/// Seconds after which a client may repeat an upload that a missing scanner or store has refused.
const RETRY_SECONDS: u32 = 10;

/// Seconds after which uploads may have ended that fill the service.
const FULL_SECONDS: u32 = 60;

macro_rules! problems {
    ($($name:ident = $code:literal, $kind:ident $(($status:expr))?, $title:literal, $description:literal;)*) => {
        $(pub(crate) static $name: ProblemInfo =
            ProblemInfo { code: $code, kind: Kind::$kind$(($status))?, title: $title, description: $description };)*
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
    TOO_MANY_UPLOADS = "too_many_uploads", TooManyRequests, "Too Many Uploads", "The caller has too many resumable uploads that no request has used, or they are too large together. Use or delete one, or wait until they expire.";
    UPLOADS_FULL = "uploads_full", Unavailable, "Uploads Full", "The service holds as many unfinished uploads as it can. Retry after the number of seconds in `Retry-After`.";
    UPLOAD_NOT_FOUND = "upload_not_found", NotFound, "Upload Not Found", "There is no such upload, or it belongs to another user, or it was used before. Start a new upload.";
    UPLOAD_EXPIRED = "upload_expired", Gone, "Upload Expired", "The upload received no bytes for too long and was removed. Start a new upload.";
    OFFSET_CONFLICT = "upload_offset_conflict", Conflict, "Offset Conflict", "`Upload-Offset` is not the number of bytes that are stored, or another request has continued the upload. Send `HEAD`, and continue at its `Upload-Offset`.";
    CHECKSUM_MISMATCH = "checksum_mismatch", Other(ErrorStatus::new(460)), "Checksum Mismatch", "The bytes do not have the checksum of `Upload-Checksum`, and were discarded. Send them again.";
    MALFORMED_UPLOAD = "malformed_upload", Malformed, "Malformed Upload", "A header of the upload is malformed. `detail` says which.";
    TOO_MANY_PARTS = "too_many_parts", TooLarge, "Too Many Parts", "The upload has arrived in too many small requests. Start a new upload, with larger requests.";
    UPLOAD_UNKNOWN = "upload_unknown", Invalid, "Upload Unknown", "The body names an upload that does not exist, belongs to another user, has expired or was used before. Upload the file again.";
    UPLOAD_INCOMPLETE = "upload_incomplete", Conflict, "Upload Incomplete", "The body names an upload that has not received all of its bytes. Finish it first.";
    STORAGE_UNAVAILABLE = "storage_unavailable", Unavailable, "Storage Unavailable", "The file could not be stored. Retry after the number of seconds in `Retry-After`.";
}

/// Returns the problems that receiving a file can cause.
pub(crate) fn intake() -> [&'static ProblemInfo; 8] {
    [
        &TOO_LARGE,
        &TYPE_NOT_ALLOWED,
        &TYPE_MISMATCH,
        &INFECTED,
        &ARCHIVE_REFUSED,
        &SCANNER_UNAVAILABLE,
        &STORAGE_UNAVAILABLE,
        &UPLOADS_FULL,
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

pub(crate) fn uploads_full() -> Refusal {
    Plain::new(&UPLOADS_FULL).retry_after(FULL_SECONDS).into()
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

/// The virus scanner has found malware in the file or could not scan it, and its content was
/// removed.
#[derive(Debug, Problem)]
#[problem(gone, code = "file_removed")]
pub struct FileRemoved;

/// Errors when reading the content of a file.
#[derive(Debug, Problem)]
pub enum OpenFile {
    /// The file was not scanned yet.
    #[problem(transparent)]
    NotScanned(NotScanned),
    /// The file was infected, or could not be scanned.
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
