//! What is asked of the database, and how it is answered.

use doyen::data::Row;
use doyen::data::sea_orm::{self, DbErr, FromQueryResult};
use doyen::prelude::*;

/// The keys that are asked for: 1 to 10,000.
pub const FIRST: i64 = 1;
/// The number of them.
pub const LAST: i64 = 10_000;

/// One ticket.
#[derive(Output, FromQueryResult, Row)]
pub struct Ticket {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    reporter_id: i64,
    assignee_id: Option<i64>,
    created_ms: i64,
}

/// A page of tickets.
#[derive(Output)]
pub struct TicketList {
    items: Vec<Card>,
    next: Option<i64>,
}

/// A ticket on a page.
#[derive(Output)]
pub struct Card {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    created_ms: i64,
    assignee: Option<Assignee>,
    comments: i64,
}

/// Who works on it.
#[derive(Output)]
pub struct Assignee {
    id: i64,
    name: String,
}

/// A new ticket.
#[derive(Input)]
pub struct NewTicket {
    #[validate(length(min = 1, max = 200))]
    subject: String,
    #[validate(length(min = 1, max = 5000))]
    body: String,
    #[validate(range(min = 1, max = 4))]
    priority: i32,
}

/// What was made of it.
#[derive(Output)]
pub struct Opened {
    id: i64,
    subject: String,
    status: &'static str,
    priority: i32,
}

/// A row of the page, as the statement gives it.
#[derive(FromQueryResult, Row)]
struct CardRow {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    created_ms: i64,
    assignee_id: Option<i64>,
    assignee_name: Option<String>,
    comments: i64,
}

/// The number a new row was given.
#[derive(FromQueryResult, Row)]
struct Key {
    id: i64,
}

/// One ticket by key.
pub async fn ticket(session: &Session, id: i64) -> Result<Option<Ticket>, Unexpected> {
    let sql = "SELECT id, subject, status, priority, reporter_id, assignee_id, created_ms FROM tickets WHERE id = $1";
    Ok(session.query_one_as(sql, [id.into()]).await?)
}

/// Fifty tickets before this one, the newest first.
pub async fn page(session: &Session, before: i64) -> Result<TicketList, DbErr> {
    let sql = "SELECT t.id, t.subject, t.status, t.priority, t.created_ms, u.id AS assignee_id, u.name AS assignee_name, \
               (SELECT count(*) FROM comments c WHERE c.ticket_id = t.id) AS comments \
               FROM tickets t LEFT JOIN users u ON u.id = t.assignee_id WHERE t.id < $1 ORDER BY t.id DESC LIMIT 50";
    let rows: Vec<CardRow> = session.query_as(sql, [before.into()]).await?;
    let items: Vec<Card> = rows.into_iter().map(Card::from).collect();
    let next = items
        .last()
        .filter(|_| items.len() == 50)
        .map(|last| last.id);
    Ok(TicketList { items, next })
}

/// Keeps a new ticket. The unit of work of the request is the transaction.
pub async fn open(session: &Session, new: NewTicket, now: Timestamp) -> Result<Opened, Unexpected> {
    let sql = "INSERT INTO tickets (subject, body, status, priority, reporter_id, assignee_id, created_ms) \
               VALUES ($1, $2, 'open', $3, 1, NULL, $4) RETURNING id";
    let values = [
        new.subject.as_str().into(),
        new.body.into(),
        new.priority.into(),
        (now.unix() * 1000).into(),
    ];
    let key: Option<Key> = session.query_one_as(sql, values).await?;
    let key = key.ok_or_else(|| Unexpected::new("the insert returned no row"))?;
    Ok(Opened {
        id: key.id,
        subject: new.subject,
        status: "open",
        priority: new.priority,
    })
}

impl From<CardRow> for Card {
    fn from(row: CardRow) -> Self {
        Self {
            id: row.id,
            subject: row.subject,
            status: row.status,
            priority: row.priority,
            created_ms: row.created_ms,
            assignee: row
                .assignee_id
                .zip(row.assignee_name)
                .map(|(id, name)| Assignee { id, name }),
            comments: row.comments,
        }
    }
}
