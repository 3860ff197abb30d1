//! Storage of tickets in the database and of their events in the outbox.
//!
//! Reads use the views `ticket_cards` and `comment_cards`, which include names and tags, so that a
//! page needs one statement. Writes use the tables.

mod attachments;
mod events;
mod filter;
mod imports;
pub(super) mod rows;
mod search;

use doyen::data::sea_orm::prelude::Uuid;
use doyen::data::sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use doyen::data::sea_orm::{ColumnTrait, EntityTrait, NotSet, QueryFilter, QuerySelect as _};
use doyen::data::{Order, Session};
use doyen::prelude::*;

use rows::{Count, comment, comment_card, person, tag, ticket};

pub(crate) use attachments::SqlAttachments;
pub(crate) use events::OutboxEvents;
pub(crate) use imports::{ImportTickets, JobImports};
use search::Search;

use super::domain::{
    Comment, CommentId, Person, Stats, Ticket, TicketFilter, TicketId, TicketRepository, Viewer,
};
use crate::access::{Role, UserId};

/// Stores tickets in SQLite or PostgreSQL.
#[derive(Clone, Inject)]
pub(crate) struct SqlTickets {
    session: Session,
    cache: Cache,
}

#[port]
impl TicketRepository for SqlTickets {
    async fn insert(&self, new: &Ticket) -> Result<(), Unexpected> {
        ticket::Entity::insert(rows::ticket(new))
            .exec_without_returning(&self.session)
            .await?;
        self.changed();
        self.tag(new).await
    }

    async fn find(&self, viewer: Viewer, id: TicketId) -> Result<Option<Ticket>, Unexpected> {
        let row = filter::visible(viewer)
            .filter(rows::ticket_card::Column::Id.eq(id.uuid()))
            .one(&self.session)
            .await?;
        row.map(rows::read_ticket).transpose()
    }

    async fn list(
        &self,
        viewer: Viewer,
        filter: &TicketFilter,
        paging: &Paging,
    ) -> Result<Page<Ticket>, Unexpected> {
        let search = Search::of(&self.session, filter).await?;
        let page = self
            .session
            .page_counted(
                filter::matching(viewer, filter, &search),
                || filter::matching_ids(viewer, filter, &search),
                filter::order(filter.sort),
                paging,
                &filter::cursor_values(viewer, filter),
            )
            .await?;
        page.try_map(rows::read_ticket)
    }

    async fn lock(&self, id: TicketId) -> Result<(), Unexpected> {
        // SQLite has no row locks: its transaction holds every other writer back.
        // A missing ticket is reported when it is read.
        let _found: Option<Uuid> = ticket::Entity::find_by_id(id.uuid())
            .select_only()
            .column(ticket::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .one(&self.session)
            .await?;
        Ok(())
    }

    async fn replace(
        &self,
        viewer: Viewer,
        read: &Ticket,
        changed: &Ticket,
    ) -> Result<bool, Unexpected> {
        let row = ticket::ActiveModel {
            // A note that was added meanwhile leaves the version as it is.
            note_count: NotSet,
            ..rows::ticket(changed)
        };
        let written = ticket::Entity::update_many()
            .set(row)
            .filter(filter::own(viewer, ticket::Column::ReporterId))
            .filter(ticket::Column::Id.eq(read.id.uuid()))
            .filter(ticket::Column::Version.eq(read.version))
            .exec(&self.session)
            .await?;
        if written.rows_affected == 0 {
            return Ok(false);
        }
        self.changed();
        if changed.tags != read.tags {
            tag::Entity::delete_many()
                .filter(tag::Column::TicketId.eq(read.id.uuid()))
                .exec(&self.session)
                .await?;
            self.tag(changed).await?;
        }
        Ok(true)
    }

    async fn count_note(&self, viewer: Viewer, id: TicketId) -> Result<bool, Unexpected> {
        let counted = ticket::Entity::update_many()
            .col_expr(
                ticket::Column::NoteCount,
                Expr::col(ticket::Column::NoteCount).add(1),
            )
            .filter(filter::own(viewer, ticket::Column::ReporterId))
            .filter(ticket::Column::Id.eq(id.uuid()))
            .exec(&self.session)
            .await?;
        Ok(counted.rows_affected > 0)
    }

    async fn remove(&self, viewer: Viewer, id: TicketId) -> Result<bool, Unexpected> {
        let removed = ticket::Entity::delete_many()
            .filter(filter::own(viewer, ticket::Column::ReporterId))
            .filter(ticket::Column::Id.eq(id.uuid()))
            .exec(&self.session)
            .await?;
        self.changed();
        Ok(removed.rows_affected > 0)
    }

    async fn stats(&self, viewer: Viewer) -> Result<Stats, Unexpected> {
        let counts: Vec<Count> = match viewer.only() {
            None => {
                let sql = "SELECT status, priority, count(*) AS tickets FROM tickets GROUP BY status, priority";
                self.session.query_as(sql, []).await?
            }
            Some(reporter) => {
                let sql = "SELECT status, priority, count(*) AS tickets FROM tickets WHERE reporter_id = $1 GROUP BY status, priority";
                self.session.query_as(sql, [reporter.uuid().into()]).await?
            }
        };
        let mut stats = Stats::default();
        for count in counts {
            stats.add(
                rows::status(&count.status)?,
                rows::priority(count.priority)?,
                u64::try_from(count.tickets)?,
            );
        }
        Ok(stats)
    }

    async fn add_comment(&self, new: &Comment) -> Result<(), Unexpected> {
        comment::Entity::insert(rows::comment(new))
            .exec_without_returning(&self.session)
            .await?;
        Ok(())
    }

    async fn comments(
        &self,
        viewer: Viewer,
        id: TicketId,
        paging: &Paging,
    ) -> Result<Page<Comment>, Unexpected> {
        let mut select =
            comment_card::Entity::find().filter(comment_card::Column::TicketId.eq(id.uuid()));
        if !viewer.is_staff() {
            select = select.filter(comment_card::Column::Internal.eq(false));
        }
        let order = Order::by(comment_card::Column::CreatedAt).then(comment_card::Column::Id);
        let values = (viewer.id().to_string(), viewer.is_staff(), id.to_string());
        let page = self.session.page(select, order, paging, &values).await?;
        page.try_map(rows::read_comment)
    }

    async fn comment_of(
        &self,
        viewer: Viewer,
        ticket: TicketId,
        id: CommentId,
    ) -> Result<Option<Comment>, Unexpected> {
        let row = comment_card::Entity::find_by_id(id.uuid())
            .filter(comment_card::Column::TicketId.eq(ticket.uuid()))
            .one(&self.session)
            .await?;
        let comment = row.map(rows::read_comment).transpose()?;
        Ok(comment.filter(|comment| viewer.is_staff() || !comment.internal))
    }

    async fn person(&self, id: UserId) -> Result<Option<Person>, Unexpected> {
        let row = person::Entity::find_by_id(id.uuid())
            .one(&self.session)
            .await?;
        Ok(row.map(rows::read_person))
    }

    async fn agent(&self, id: UserId) -> Result<Option<Person>, Unexpected> {
        let row = person::Entity::find_by_id(id.uuid())
            .one(&self.session)
            .await?;
        Ok(row
            .filter(|row| Role::named(&row.role).is_some_and(Role::is_staff))
            .map(rows::read_person))
    }
}

impl SqlTickets {
    /// Invalidates the cached values about tickets, once the change is committed.
    fn changed(&self) {
        self.cache.invalidate(super::TICKETS).after(&self.session);
    }

    async fn tag(&self, ticket: &Ticket) -> Result<(), Unexpected> {
        if !ticket.tags.is_empty() {
            tag::Entity::insert_many(rows::tags(ticket))
                .exec_without_returning(&self.session)
                .await?;
        }
        Ok(())
    }
}
