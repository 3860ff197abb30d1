//! The bodies of the API. poem-openapi wants types of its own; what is read by hand is moved over,
//! field by field.

use poem_openapi::{Object, types::Email};

#[derive(Object)]
pub struct Hello {
    pub message: String,
}

#[derive(Object)]
pub struct Echo {
    #[oai(validator(min_length = 1, max_length = 200))]
    subject: String,
    #[oai(validator(min_length = 1, max_length = 5000))]
    body: String,
    #[oai(validator(minimum(value = "1"), maximum(value = "4")))]
    priority: i32,
    email: Email,
    /// The lengths are those of each tag.
    #[oai(validator(max_items = 10, min_length = 1, max_length = 30))]
    tags: Vec<String>,
}

#[derive(Object)]
pub struct NewTicket {
    #[oai(validator(min_length = 1, max_length = 200))]
    subject: String,
    #[oai(validator(min_length = 1, max_length = 5000))]
    body: String,
    #[oai(validator(minimum(value = "1"), maximum(value = "4")))]
    priority: i32,
}

#[derive(Object)]
pub struct Ticket {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    reporter_id: i64,
    assignee_id: Option<i64>,
    created_ms: i64,
}

#[derive(Object)]
pub struct Page {
    items: Vec<Item>,
    next: Option<i64>,
}

#[derive(Object)]
pub struct Item {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
    created_ms: i64,
    assignee: Option<Assignee>,
    comments: i64,
}

#[derive(Object)]
pub struct Assignee {
    id: i64,
    name: String,
}

#[derive(Object)]
pub struct Created {
    id: i64,
    subject: String,
    status: String,
    priority: i32,
}

impl From<NewTicket> for by_hand::NewTicket {
    fn from(
        NewTicket {
            subject,
            body,
            priority,
        }: NewTicket,
    ) -> Self {
        Self {
            subject,
            body,
            priority,
        }
    }
}

impl From<by_hand::Ticket> for Ticket {
    fn from(ticket: by_hand::Ticket) -> Self {
        let by_hand::Ticket {
            id,
            subject,
            status,
            priority,
            reporter_id,
            assignee_id,
            created_ms,
        } = ticket;
        Self {
            id,
            subject,
            status,
            priority,
            reporter_id,
            assignee_id,
            created_ms,
        }
    }
}

impl From<by_hand::Page> for Page {
    fn from(page: by_hand::Page) -> Self {
        Self {
            items: page.items.into_iter().map(Item::from).collect(),
            next: page.next,
        }
    }
}

impl From<by_hand::Item> for Item {
    fn from(item: by_hand::Item) -> Self {
        let by_hand::Item {
            id,
            subject,
            status,
            priority,
            created_ms,
            assignee,
            comments,
        } = item;
        let assignee = assignee.map(|by_hand::Assignee { id, name }| Assignee { id, name });
        Self {
            id,
            subject,
            status,
            priority,
            created_ms,
            assignee,
            comments,
        }
    }
}

impl From<by_hand::Created> for Created {
    fn from(
        by_hand::Created {
            id,
            subject,
            status,
            priority,
        }: by_hand::Created,
    ) -> Self {
        Self {
            id,
            subject,
            status: status.to_owned(),
            priority,
        }
    }
}
