//! Operations on attachments.

use std::sync::Arc;

use doyen::domain::{Clock, Inject, Page, Paging, Unexpected};

use super::attachment::may_remove;
use super::{
    AddAttachment, Attachment, AttachmentId, AttachmentNotFound, AttachmentRepository,
    AttachmentsFull, FindAttachment, FindTicket, MAX_ATTACHMENTS, NotTheUploader, QuotaExceeded,
    RemoveAttachment, TicketId, TicketNotFound, TicketRepository, Viewer,
};

/// Operations on attachments, for handlers.
#[derive(Clone, Inject)]
pub struct Attachments {
    tickets: Arc<dyn TicketRepository>,
    repository: Arc<dyn AttachmentRepository>,
    clock: Arc<dyn Clock>,
}

impl Attachments {
    /// Checks before a file arrives that it can probably be attached, so that a refused client need
    /// not send it. [`admit`](Self::admit) decides.
    pub async fn expect_capacity(
        &self,
        viewer: Viewer,
        ticket: TicketId,
        size: u64,
    ) -> Result<(), AddAttachment> {
        let capacity = self.repository.capacity(viewer, ticket).await?;
        let capacity = capacity.ok_or(TicketNotFound)?;
        if capacity.attachments >= MAX_ATTACHMENTS {
            return Err(AttachmentsFull.into());
        }
        match capacity.bytes_left {
            Some(left) if size > left => Err(QuotaExceeded { left }.into()),
            _ => Ok(()),
        }
    }

    /// Checks that a file of this size can be attached to a ticket. Concurrent uploads wait for
    /// each other until the unit of work ends, so that none exceeds a limit.
    pub async fn admit(
        &self,
        viewer: Viewer,
        ticket: TicketId,
        size: u64,
    ) -> Result<(), AddAttachment> {
        self.tickets.lock(ticket).await?;
        self.tickets
            .find(viewer, ticket)
            .await?
            .ok_or(TicketNotFound)?;
        if self.repository.count(ticket).await? >= MAX_ATTACHMENTS {
            return Err(AttachmentsFull.into());
        }
        // Agents work for all customers, and have no quota.
        if let Some(customer) = viewer.only() {
            let left = self.repository.bytes_left(customer).await?;
            if size > left {
                return Err(QuotaExceeded { left }.into());
            }
        }
        Ok(())
    }

    /// Attaches a file that is stored under this id.
    pub async fn add(
        &self,
        viewer: Viewer,
        ticket: TicketId,
        id: AttachmentId,
        note: Option<String>,
    ) -> Result<Attachment, AddAttachment> {
        let now = self.clock.now();
        self.repository
            .insert(id, ticket, viewer.id(), note, now)
            .await?;
        let added = self.repository.find(id).await?;
        Ok(added.ok_or_else(|| Unexpected::new(format!("{id} vanished after it was added")))?)
    }

    /// Returns a page of the attachments of a ticket.
    pub async fn list(
        &self,
        viewer: Viewer,
        ticket: TicketId,
        paging: &Paging,
    ) -> Result<Page<Attachment>, FindTicket> {
        self.tickets
            .find(viewer, ticket)
            .await?
            .ok_or(TicketNotFound)?;
        Ok(self.repository.list(ticket, paging).await?)
    }

    /// Returns an attachment of a ticket that the viewer can see.
    pub async fn find(
        &self,
        viewer: Viewer,
        id: AttachmentId,
    ) -> Result<Attachment, FindAttachment> {
        let found = self.repository.find(id).await?.ok_or(AttachmentNotFound)?;
        let ticket = self.tickets.find(viewer, found.ticket).await?;
        ticket.ok_or(AttachmentNotFound)?;
        Ok(found)
    }

    /// Deletes an attachment.
    pub async fn remove(&self, viewer: Viewer, id: AttachmentId) -> Result<(), RemoveAttachment> {
        let found = self.find(viewer, id).await?;
        may_remove(&viewer, &found).map_err(NotTheUploader)?;
        match self.repository.remove(id).await? {
            true => Ok(()),
            false => Err(FindAttachment::from(AttachmentNotFound).into()),
        }
    }

    /// Deletes the attachments of a ticket that is deleted.
    pub async fn remove_all(&self, viewer: Viewer, ticket: TicketId) -> Result<(), FindTicket> {
        self.tickets.lock(ticket).await?;
        self.tickets
            .find(viewer, ticket)
            .await?
            .ok_or(TicketNotFound)?;
        Ok(self.repository.remove_all(ticket).await?)
    }

    /// True if the viewer can delete the attachment.
    pub fn may_remove(viewer: Viewer, attachment: &Attachment) -> bool {
        may_remove(&viewer, attachment).is_ok()
    }
}
