//! Attachments in the database. Their files are those of the plugin `files`, under the same id.

use std::collections::HashMap;
use std::sync::Arc;

use doyen::data::sea_orm::prelude::Uuid;
use doyen::data::sea_orm::sea_query::LockType;
use doyen::data::sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait as _, QueryFilter, QuerySelect as _, Set,
};
use doyen::data::{Order, Session};
use doyen::files::{FileId, FileStatus, Files, StoredFile};
use doyen::prelude::*;

use super::filter;
use super::rows::{attachment, attachment_card, person, ticket_card};
use crate::access::UserId;
use crate::settings::HelpdeskSettings;
use crate::tickets::domain::{
    Attachment, AttachmentCapacity, AttachmentId, AttachmentRepository, AttachmentStatus, Person,
    TicketId, Viewer,
};

/// Stores attachments in SQLite or PostgreSQL.
#[derive(Clone, Inject)]
pub(crate) struct SqlAttachments {
    session: Session,
    files: Files,
    settings: Arc<HelpdeskSettings>,
}

fn file_id(id: AttachmentId) -> FileId {
    id.uuid().into()
}

#[port]
impl AttachmentRepository for SqlAttachments {
    async fn insert(
        &self,
        id: AttachmentId,
        ticket: TicketId,
        by: UserId,
        note: Option<String>,
        at: Timestamp,
    ) -> Result<(), Unexpected> {
        let row = attachment::ActiveModel {
            id: Set(id.uuid()),
            ticket_id: Set(ticket.uuid()),
            uploaded_by: Set(by.uuid()),
            note: Set(note),
            created_at: Set(at.into()),
        };
        attachment::Entity::insert(row)
            .exec_without_returning(&self.session)
            .await?;
        Ok(())
    }

    async fn capacity(
        &self,
        viewer: Viewer,
        ticket: TicketId,
    ) -> Result<Option<AttachmentCapacity>, Unexpected> {
        let session = self.session.autocommit();
        let seen = filter::visible(viewer)
            .filter(ticket_card::Column::Id.eq(ticket.uuid()))
            .one(&session)
            .await?;
        if seen.is_none() {
            return Ok(None);
        }
        let attachments = attachment::Entity::find()
            .filter(attachment::Column::TicketId.eq(ticket.uuid()))
            .count(&session)
            .await?;
        let bytes_left = match viewer.only() {
            Some(customer) => {
                let used = self.files.autocommit().usage(customer).await?.bytes;
                let quota = self.settings.attachments.customer_quota.bytes();
                Some(quota.saturating_sub(used))
            }
            None => None,
        };
        Ok(Some(AttachmentCapacity {
            attachments,
            bytes_left,
        }))
    }

    async fn count(&self, ticket: TicketId) -> Result<u64, Unexpected> {
        let all = attachment::Entity::find()
            .filter(attachment::Column::TicketId.eq(ticket.uuid()))
            .count(&self.session);
        Ok(all.await?)
    }

    async fn bytes_left(&self, customer: UserId) -> Result<u64, Unexpected> {
        // SQLite has no row locks: its transaction holds every other writer back.
        let _locked: Option<Uuid> = person::Entity::find_by_id(customer.uuid())
            .select_only()
            .column(person::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .one(&self.session)
            .await?;
        let used = self.files.usage(customer).await?.bytes;
        let quota = self.settings.attachments.customer_quota.bytes();
        Ok(quota.saturating_sub(used))
    }

    async fn find(&self, id: AttachmentId) -> Result<Option<Attachment>, Unexpected> {
        let row = attachment_card::Entity::find_by_id(id.uuid())
            .one(&self.session)
            .await?;
        let file = self.files.find(file_id(id)).await?;
        row.zip(file)
            .map(|(row, file)| Ok(read(row, file)))
            .transpose()
    }

    async fn list(
        &self,
        ticket: TicketId,
        paging: &Paging,
    ) -> Result<Page<Attachment>, Unexpected> {
        let select = attachment_card::Entity::find()
            .filter(attachment_card::Column::TicketId.eq(ticket.uuid()));
        let order = Order::by(attachment_card::Column::CreatedAt).then(attachment_card::Column::Id);
        let values = ticket.to_string();
        let page = self.session.page(select, order, paging, &values).await?;
        let ids: Vec<FileId> = page.items.iter().map(|row| row.id.into()).collect();
        let files = self.files.find_all(&ids).await?.into_iter();
        let mut files: HashMap<Uuid, StoredFile> =
            files.map(|file| (file.id.uuid(), file)).collect();
        page.try_map(|row| {
            let file = files.remove(&row.id);
            let file =
                file.ok_or_else(|| Unexpected::new(format!("the file {} is missing", row.id)))?;
            Ok(read(row, file))
        })
    }

    async fn remove(&self, id: AttachmentId) -> Result<bool, Unexpected> {
        let removed = attachment::Entity::delete_by_id(id.uuid())
            .exec(&self.session)
            .await?;
        self.files.remove(file_id(id)).await?;
        Ok(removed.rows_affected > 0)
    }

    async fn remove_all(&self, ticket: TicketId) -> Result<(), Unexpected> {
        let ids: Vec<Uuid> = attachment::Entity::find()
            .select_only()
            .column(attachment::Column::Id)
            .filter(attachment::Column::TicketId.eq(ticket.uuid()))
            .into_tuple()
            .all(&self.session)
            .await?;
        for id in ids {
            self.remove(id.into()).await?;
        }
        Ok(())
    }
}

fn read(row: attachment_card::Model, file: StoredFile) -> Attachment {
    Attachment {
        id: row.id.into(),
        ticket: row.ticket_id.into(),
        name: file.name,
        media_type: file.media_type,
        size: file.size,
        sha256: file.sha256,
        status: match file.status {
            FileStatus::Clean | FileStatus::Unscanned => AttachmentStatus::Clean,
            FileStatus::Scanning => AttachmentStatus::Scanning,
            FileStatus::Infected => AttachmentStatus::Infected,
            FileStatus::Unscannable => AttachmentStatus::Unscannable,
        },
        note: row.note,
        uploaded_by: Person {
            id: row.uploaded_by.into(),
            name: row.uploader_name,
        },
        created_at: row.created_at.into(),
    }
}
