//! The events of files.

use doyen_core::Event;

use crate::stored::FileId;

/// A change of a file, published with the commit of its row. A domain that reacts to one declares a
/// type of its own with `#[derive(EventData)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Event)]
#[event(topic = "file", key = "file")]
pub enum FileEvent {
    /// A file was kept: it is clean, or accepted without a scan.
    Stored {
        /// File id.
        file: FileId,
    },
    /// A file was kept in quarantine, and is scanned later.
    Quarantined {
        /// File id.
        file: FileId,
    },
    /// A later scan found nothing, and the file can be read.
    Cleared {
        /// File id.
        file: FileId,
    },
    /// A later scan found malware, and the content was removed.
    Infected {
        /// File id.
        file: FileId,
    },
    /// A later scan was not possible, and the content was removed.
    Unscannable {
        /// File id.
        file: FileId,
    },
    /// A file was removed.
    Removed {
        /// File id.
        file: FileId,
    },
}
