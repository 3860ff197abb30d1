//! What a row says about a file.

use doyen_core::id::Named;
use doyen_core::{Id, Timestamp};

/// The type of file ids.
#[derive(Debug)]
pub struct FileRow;

impl Named for FileRow {
    const PREFIX: &'static str = "file";
}

/// The id of a file: `file_…`.
pub type FileId = Id<FileRow>;

/// What is known about the content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileStatus {
    /// The scanner found nothing.
    Clean,
    /// It was accepted without a scan.
    Unscanned,
    /// It waits for its scan, and cannot be read.
    Scanning,
    /// The scanner found malware. Its content was removed.
    Infected,
    /// The scanner could not scan it. Its content was removed.
    Unscannable,
}

impl FileStatus {
    const ALL: [Self; 5] = [
        Self::Clean,
        Self::Unscanned,
        Self::Scanning,
        Self::Infected,
        Self::Unscannable,
    ];

    /// Returns the name, as in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            FileStatus::Clean => "clean",
            FileStatus::Unscanned => "unscanned",
            FileStatus::Scanning => "scanning",
            FileStatus::Infected => "infected",
            FileStatus::Unscannable => "unscannable",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// True if the content can be read.
    pub const fn is_readable(self) -> bool {
        matches!(self, FileStatus::Clean | FileStatus::Unscanned)
    }
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Id.
    pub id: FileId,
    /// Status.
    pub status: FileStatus,
    /// Name for downloads.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// The owner that [`Files::keep`](crate::Files::keep) was given.
    pub owner: String,
    /// Time at which it was kept.
    pub created_at: Timestamp,
}

/// What an owner stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of files.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
}
