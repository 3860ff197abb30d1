//! Files that are attached to tickets.

use doyen::domain::id::Named;
use doyen::domain::{DeniedBecause, Id, Output, Timestamp, denied_because};

use super::{Person, TicketId, Viewer};

/// Maximum number of attachments of a ticket.
pub const MAX_ATTACHMENTS: u64 = 20;

/// Attachment id: `att_...`. It has the UUID of the stored file.
pub type AttachmentId = Id<Attachment>;

impl Named for Attachment {
    const PREFIX: &'static str = "att";
}

/// A file that is attached to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Attachment id.
    pub id: AttachmentId,
    /// Ticket id.
    pub ticket: TicketId,
    /// File name.
    pub name: String,
    /// Media type of the content.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// Result of the virus scan.
    pub status: AttachmentStatus,
    /// Note of the uploader.
    pub note: Option<String>,
    /// User who uploaded it.
    pub uploaded_by: Person,
    /// Creation time.
    pub created_at: Timestamp,
}

/// What can be attached to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachmentCapacity {
    /// Number of attachments that the ticket has.
    pub attachments: u64,
    /// Bytes of the quota that are left; `None` without a quota.
    pub bytes_left: Option<u64>,
}

/// Result of the virus scan of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Output)]
pub enum AttachmentStatus {
    /// The content can be downloaded.
    Clean,
    /// The scan is not finished, and the content cannot be downloaded yet.
    Scanning,
    /// The scan found malware, and the content was removed.
    Infected,
    /// The content could not be scanned, and was removed.
    Unscannable,
}

/// Checks whether the viewer can delete an attachment: its uploader and agents can.
pub(super) fn may_remove(viewer: &Viewer, attachment: &Attachment) -> Result<(), DeniedBecause> {
    if viewer.is_staff() || attachment.uploaded_by.id == viewer.id() {
        return Ok(());
    }
    Err(denied_because(
        "customers can delete only their own attachments",
    ))
}
