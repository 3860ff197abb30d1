//! Files that are attached to tickets.

use std::time::Duration;

use doyen::files::{FileKind, Files, KeepFile, OpenFile, Upload, UploadPolicy};
use doyen::prelude::*;
use doyen::web::File;

use crate::access::{Scope, User};
use crate::tickets::domain::{
    AddAttachment, Attachment, AttachmentId, AttachmentNotFound, AttachmentStatus, Attachments,
    FindAttachment, FindTicket, Person, RemoveAttachment, TicketId,
};

/// Time for an upload over a slow line.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Uploads in a minute.
const UPLOADS: u32 = 120;

/// What can be attached. The setting `files.max_bytes` is the limit below this one.
pub(crate) struct AttachmentPolicy;

impl UploadPolicy for AttachmentPolicy {
    type Fields = AttachmentForm;
    const KINDS: &'static [FileKind] = &[
        FileKind::PNG,
        FileKind::JPEG,
        FileKind::GIF,
        FileKind::WEBP,
        FileKind::PDF,
        FileKind::ZIP,
        FileKind::TEXT,
        FileKind::CSV,
    ];
    const MAX_BYTES: u64 = 10 << 30;
    const MAX_FILES: usize = 1;
    const RESUMABLE: bool = true;
}

/// The other fields of the form.
#[derive(Input)]
pub(crate) struct AttachmentForm {
    /// Note about the file.
    #[validate(length(min = 1, max = 1000))]
    note: Option<String>,
}

/// A file that is attached to a ticket.
#[derive(Output)]
#[output(name = "Attachment", from = (Attachment, AttachmentLinks), location = place)]
pub(crate) struct AttachmentView {
    /// Attachment id.
    id: AttachmentId,
    /// File name.
    #[output(example = "screenshot.png")]
    name: String,
    /// Media type of the content.
    #[output(example = "image/png")]
    media_type: String,
    /// Size in bytes.
    size: u64,
    /// SHA-256 of the content, in hexadecimal.
    sha256: String,
    /// Result of the virus scan. Only the content of a `clean` attachment can be downloaded.
    status: AttachmentStatus,
    /// Note of the uploader, or null.
    note: Option<String>,
    /// User who uploaded it.
    uploaded_by: Person,
    /// Creation time.
    created_at: Timestamp,
    /// Links to the resource and to the actions available to the caller.
    #[output(rename = "_links", value = attachment_links.map)]
    links: LinkMap,
    #[output(skip, value = attachment_links.path)]
    place: String,
}

/// The path of an attachment, and the links available to the caller.
pub(super) struct AttachmentLinks {
    path: String,
    map: LinkMap,
}

fn view(me: User, links: &Links, attachment: Attachment) -> AttachmentView {
    let id: &[&dyn std::fmt::Display] = &[&attachment.id];
    let is_clean = attachment.status == AttachmentStatus::Clean;
    let can_remove = Attachments::may_remove(me.into(), &attachment);
    let map = links
        .map()
        .to::<show_attachment>("self", id)
        .to_if::<download>(is_clean, "content", id)
        .to_if::<remove_attachment>(can_remove, "delete", id)
        .done();
    let path = links.path::<show_attachment>(id).unwrap_or_default();
    (attachment, AttachmentLinks { path, map }).into()
}

/// Errors when attaching a file.
#[derive(Debug, Problem)]
pub(crate) enum Attach {
    /// The ticket does not accept the file.
    #[problem(transparent)]
    Add(AddAttachment),
    /// The file cannot be stored.
    #[problem(transparent)]
    Keep(KeepFile),
}

/// Bytes of a form that are not in its file, at most: its other fields and what separates them.
const FORM_BYTES: u64 = 256 << 10;

/// What the client announces.
#[derive(Input)]
struct Announced {
    /// Length of the body in bytes.
    #[input(hidden)]
    content_length: Option<u64>,
}

/// The caller can attach a file to the ticket, as far as that is known before the body arrives.
pub(crate) struct HasCapacity;

#[extractor]
async fn capacity(
    me: User,
    attachments: Attachments,
    Header(announced): Header<Announced>,
    /// Ticket id.
    #[path]
    id: TicketId,
) -> Result<HasCapacity, AddAttachment> {
    let length = announced.content_length.unwrap_or_default();
    let size = length.saturating_sub(FORM_BYTES);
    attachments.expect_capacity(me.into(), id, size).await?;
    Ok(HasCapacity)
}

/// Attach a file
///
/// The body is the file, or the id of a finished resumable upload. The file is scanned for malware.
/// If the service scans later, the response is a 202, and the content can be downloaded once the
/// status is `clean`.
#[post(
    "/{id}/attachments",
    allow = Scope::TicketsWrite,
    limit = per_user(UPLOADS, MINUTE),
    timeout = UPLOAD_TIMEOUT,
    idempotent
)]
pub(crate) async fn attach(
    me: User,
    attachments: Attachments,
    files: Files,
    links: Links,
    /// Ticket id.
    #[path]
    id: TicketId,
    _capacity: HasCapacity,
    upload: Upload<AttachmentPolicy>,
) -> Result<Either<Created<AttachmentView>, Accepted<AttachmentView>>, Attach> {
    let Upload {
        files: received,
        fields,
    } = upload;
    let file = received
        .into_iter()
        .next()
        .ok_or_else(|| AddAttachment::from(Unexpected::new("a form without a file")))?;
    attachments.admit(me.into(), id, file.size).await?;
    let file = files.keep(file, me.id).await?;
    let attached = file.id.uuid().into();
    let added = attachments
        .add(me.into(), id, attached, fields.note)
        .await?;
    let is_scanning = added.status == AttachmentStatus::Scanning;
    let view = view(me, &links, added);
    Ok(match is_scanning {
        true => Either::Right(Accepted(view)),
        false => Either::Left(Created(view)),
    })
}

/// List attachments
///
/// Attachments are sorted by creation time, oldest first.
#[get("/{id}/attachments", allow = Scope::TicketsRead)]
pub(crate) async fn list_attachments(
    me: User,
    attachments: Attachments,
    links: Links,
    /// Ticket id.
    #[path]
    id: TicketId,
    paging: Paging,
) -> Result<Page<AttachmentView>, FindTicket> {
    let page = attachments.list(me.into(), id, &paging).await?;
    Ok(page.map(|attachment| view(me, &links, attachment)))
}

/// Get an attachment
#[get("/{id}", allow = Scope::TicketsRead)]
pub(crate) async fn show_attachment(
    me: User,
    attachments: Attachments,
    links: Links,
    /// Attachment id.
    #[path]
    id: AttachmentId,
) -> Result<Json<AttachmentView>, FindAttachment> {
    let attachment = attachments.find(me.into(), id).await?;
    Ok(Json(view(me, &links, attachment)))
}

/// Errors when downloading an attachment.
#[derive(Debug, Problem)]
pub(crate) enum Download {
    /// The attachment cannot be read.
    #[problem(transparent)]
    Find(FindAttachment),
    /// The content cannot be read.
    #[problem(transparent)]
    Open(OpenFile),
}

/// Download an attachment
#[get("/{id}/content", allow = Scope::TicketsRead)]
pub(crate) async fn download(
    me: User,
    attachments: Attachments,
    files: Files,
    /// Attachment id.
    #[path]
    id: AttachmentId,
) -> Result<File, Download> {
    attachments.find(me.into(), id).await?;
    let file = files.find(id.uuid().into()).await;
    let file = file.map_err(FindAttachment::from)?;
    let file = file.ok_or_else(|| FindAttachment::from(AttachmentNotFound))?;
    Ok(files.open(&file).await?)
}

/// Delete an attachment
///
/// Only its uploader and agents can delete an attachment.
#[delete("/{id}", allow = Scope::TicketsWrite)]
pub(crate) async fn remove_attachment(
    me: User,
    attachments: Attachments,
    /// Attachment id.
    #[path]
    id: AttachmentId,
) -> Result<NoContent, RemoveAttachment> {
    attachments.remove(me.into(), id).await?;
    Ok(NoContent)
}
