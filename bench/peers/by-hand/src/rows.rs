//! What is read from the database, in the order in which it is answered.

use serde::Serialize;

#[derive(Serialize)]
pub struct Ticket {
    pub id: i64,
    pub subject: String,
    pub status: String,
    pub priority: i32,
    pub reporter_id: i64,
    pub assignee_id: Option<i64>,
    pub created_ms: i64,
}

#[derive(Serialize)]
pub struct Page {
    pub items: Vec<Item>,
    /// Where the next page begins; none after the last one.
    pub next: Option<i64>,
}

#[derive(Serialize)]
pub struct Item {
    pub id: i64,
    pub subject: String,
    pub status: String,
    pub priority: i32,
    pub created_ms: i64,
    pub assignee: Option<Assignee>,
    pub comments: i64,
}

#[derive(Serialize)]
pub struct Assignee {
    pub id: i64,
    pub name: String,
}

#[derive(Serialize)]
pub struct Created {
    pub id: i64,
    pub subject: String,
    pub status: &'static str,
    pub priority: i32,
}

impl Page {
    pub(crate) const LENGTH: usize = 50;

    pub(crate) fn new(items: Vec<Item>) -> Self {
        let next = items.get(Self::LENGTH - 1).map(|last| last.id);
        Self { items, next }
    }
}

impl Assignee {
    /// Both halves of the outer join are there, or none.
    pub(crate) fn joined(id: Option<i64>, name: Option<String>) -> Option<Self> {
        Some(Self {
            id: id?,
            name: name?,
        })
    }
}
