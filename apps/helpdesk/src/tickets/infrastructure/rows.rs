//! Rows, and conversions between rows and domain types.

use doyen::data::Row;
use doyen::data::sea_orm::{self, FromQueryResult, Set};
use doyen::prelude::*;

use crate::tickets::domain::{Comment, Person, Priority, Status, Tag, Ticket};

/// The table `tickets`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod ticket {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "tickets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subject: String,
        pub body: String,
        pub search: String,
        pub status: String,
        pub priority: i16,
        #[column(references = "users")]
        pub reporter_id: Uuid,
        #[column(references = "users")]
        pub assignee_id: Option<Uuid>,
        pub comment_count: i32,
        pub note_count: i32,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }
}

/// The table `attachments`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod attachment {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "attachments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[column(references = "tickets", on_delete = "cascade")]
        pub ticket_id: Uuid,
        #[column(references = "users")]
        pub uploaded_by: Uuid,
        pub note: Option<String>,
        pub created_at: DateTimeUtc,
    }
}

/// The view `attachment_cards`: attachments with the names of their uploaders.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod attachment_card {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "attachment_cards")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub ticket_id: Uuid,
        pub uploaded_by: Uuid,
        pub uploader_name: String,
        pub note: Option<String>,
        pub created_at: DateTimeUtc,
    }
}

/// The view `ticket_cards`: tickets with names and tags. Its column `search` is used in filters
/// only.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod ticket_card {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "ticket_cards")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subject: String,
        pub body: String,
        pub status: String,
        pub priority: i16,
        pub reporter_id: Uuid,
        pub reporter_name: String,
        pub assignee_id: Option<Uuid>,
        pub assignee_name: Option<String>,
        pub comment_count: i32,
        pub note_count: i32,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
        pub tags: Option<String>,
    }
}

/// The table `ticket_tags`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod tag {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "ticket_tags")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        #[column(references = "tickets", on_delete = "cascade")]
        pub ticket_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag: String,
    }
}

/// The table `comments`.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod comment {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "comments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[column(references = "tickets", on_delete = "cascade")]
        pub ticket_id: Uuid,
        #[column(references = "users")]
        pub author_id: Uuid,
        pub body: String,
        pub internal: bool,
        pub created_at: DateTimeUtc,
    }
}

/// The view `comment_cards`: comments with author names.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod comment_card {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "comment_cards")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub ticket_id: Uuid,
        pub author_id: Uuid,
        pub author_name: String,
        pub body: String,
        pub internal: bool,
        pub created_at: DateTimeUtc,
    }
}

/// The columns of the table `users` that tickets use.
#[allow(unreachable_pub, reason = "SeaORM's derive wants its types public")]
pub(crate) mod person {
    use doyen::data::Entity;
    use doyen::data::sea_orm::{self, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Entity)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub role: String,
    }
}

/// Number of tickets with a status and a priority.
#[derive(FromQueryResult, Row)]
pub(super) struct Count {
    pub(super) status: String,
    pub(super) priority: i16,
    pub(super) tickets: i64,
}

/// Returns the row of a ticket.
pub(crate) fn ticket(ticket: &Ticket) -> ticket::ActiveModel {
    ticket::ActiveModel {
        id: Set(ticket.id.uuid()),
        subject: Set(ticket.subject.clone()),
        body: Set(ticket.body.clone()),
        search: Set(format!("{}\n{}", ticket.subject, ticket.body).to_lowercase()),
        status: Set(ticket.status.as_str().to_owned()),
        priority: Set(ticket.priority as i16),
        reporter_id: Set(ticket.reporter.id.uuid()),
        assignee_id: Set(ticket.assignee.as_ref().map(|person| person.id.uuid())),
        comment_count: Set(ticket.comments.cast_signed()),
        note_count: Set(ticket.notes.cast_signed()),
        created_at: Set(ticket.created_at.into()),
        updated_at: Set(ticket.updated_at.into()),
        version: Set(ticket.version),
    }
}

/// Returns a row for each tag of a ticket.
pub(crate) fn tags(ticket: &Ticket) -> impl Iterator<Item = tag::ActiveModel> {
    ticket.tags.iter().map(|word| tag::ActiveModel {
        ticket_id: Set(ticket.id.uuid()),
        tag: Set(word.as_str().to_owned()),
    })
}

/// Returns the row of a comment.
pub(crate) fn comment(comment: &Comment) -> comment::ActiveModel {
    comment::ActiveModel {
        id: Set(comment.id.uuid()),
        ticket_id: Set(comment.ticket.uuid()),
        author_id: Set(comment.author.id.uuid()),
        body: Set(comment.body.clone()),
        internal: Set(comment.internal),
        created_at: Set(comment.created_at.into()),
    }
}

/// Converts a row to a ticket.
pub(super) fn read_ticket(row: ticket_card::Model) -> Result<Ticket, Unexpected> {
    let assignee = row
        .assignee_id
        .zip(row.assignee_name)
        .map(|(id, name)| Person {
            id: id.into(),
            name,
        });
    Ok(Ticket {
        id: row.id.into(),
        subject: row.subject,
        body: row.body,
        status: status(&row.status)?,
        priority: priority(row.priority)?,
        tags: row
            .tags
            .iter()
            .flat_map(|tags| tags.split(' '))
            .map(Tag::trusted)
            .collect(),
        reporter: Person {
            id: row.reporter_id.into(),
            name: row.reporter_name,
        },
        assignee,
        comments: row.comment_count.try_into()?,
        notes: row.note_count.try_into()?,
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    })
}

/// Converts a row to a comment.
pub(super) fn read_comment(row: comment_card::Model) -> Result<Comment, Unexpected> {
    Ok(Comment {
        id: row.id.into(),
        ticket: row.ticket_id.into(),
        author: Person {
            id: row.author_id.into(),
            name: row.author_name,
        },
        body: row.body,
        internal: row.internal,
        created_at: row.created_at.into(),
    })
}

/// Converts a row to a person.
pub(super) fn read_person(row: person::Model) -> Person {
    Person {
        id: row.id.into(),
        name: row.name,
    }
}

/// Parses a status.
pub(super) fn status(word: &str) -> Result<Status, Unexpected> {
    Status::named(word).ok_or_else(|| Unexpected::new(format!("unknown status `{word}`")))
}

/// Converts a rank to a priority.
pub(super) fn priority(rank: i16) -> Result<Priority, Unexpected> {
    let found = Priority::ALL
        .into_iter()
        .find(|priority| *priority as i16 == rank);
    found.ok_or_else(|| Unexpected::new(format!("unknown priority {rank}")))
}
