//! The routes, twice: for anyone, and for those who are signed in. The handlers are the same text.

use std::sync::Arc;

use doyen::prelude::*;

use crate::rows::{self, FIRST, LAST, NewTicket, Opened, Ticket, TicketList};

/// A greeting.
#[derive(Output)]
struct Message {
    message: &'static str,
}

/// What is sent, checked and sent back.
#[derive(Input, Output)]
struct Echo {
    #[validate(length(min = 1, max = 200))]
    subject: String,
    #[validate(length(min = 1, max = 5000))]
    body: String,
    #[validate(range(min = 1, max = 4))]
    priority: i32,
    #[validate(email)]
    email: String,
    #[validate(items(max = 10), each(length(min = 1, max = 30)))]
    tags: Vec<String>,
}

/// Where a page begins.
#[derive(Input)]
struct Position {
    before: i64,
}

/// There is no such ticket.
#[derive(Debug, Problem)]
enum FindTicket {
    /// There is no ticket with this number.
    #[problem(not_found, code = "ticket_not_found")]
    Missing,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Writes the six routes, and a module of them, for these callers.
macro_rules! race {
    ($name:ident, $allow:ident) => {
        /// The six routes.
        pub mod $name {
            use super::*;

            /// Case 1: small JSON.
            #[get("/json", allow = $allow)]
            async fn json() -> Json<Message> {
                Json(Message {
                    message: "Hello, World!",
                })
            }

            /// Case 2: a validated body, sent back.
            #[post("/echo", allow = $allow)]
            async fn echo(Json(echo): Json<Echo>) -> Json<Echo> {
                Json(echo)
            }

            /// Case 3: one row by key.
            #[get("/rows/{id}", allow = $allow)]
            async fn row(session: Session, id: i64) -> Result<Json<Ticket>, FindTicket> {
                match rows::ticket(&session, id).await? {
                    Some(ticket) => Ok(Json(ticket)),
                    None => Err(FindTicket::Missing),
                }
            }

            /// Case 4: twenty rows by key, one statement after the other.
            #[get("/many/{start}", allow = $allow)]
            async fn many(session: Session, start: i64) -> Result<Json<Vec<Ticket>>, FindTicket> {
                let mut tickets = Vec::with_capacity(20);
                for step in 0..20 {
                    let id = (start.wrapping_mul(7919).wrapping_add(step * 104_729))
                        .rem_euclid(LAST)
                        + FIRST;
                    let ticket = rows::ticket(&session, id).await?;
                    tickets.push(ticket.ok_or(FindTicket::Missing)?);
                }
                Ok(Json(tickets))
            }

            /// Case 5: a page of tickets with assignee and number of comments.
            #[get("/page", allow = $allow)]
            async fn page(
                session: Session,
                Query(at): Query<Position>,
            ) -> Result<Json<TicketList>, Unexpected> {
                Ok(Json(rows::page(&session, at.before).await?))
            }

            /// Case 6: an insert in a transaction.
            #[post("/tickets", allow = $allow)]
            async fn open(
                session: Session,
                clock: Arc<dyn Clock>,
                Json(new): Json<NewTicket>,
            ) -> Result<Created<Opened>, Unexpected> {
                Ok(Created(rows::open(&session, new, clock.now()).await?))
            }

            /// All six.
            pub fn module() -> Module {
                Module::new("race").routes(routes![json, echo, row, many, page, open])
            }
        }
    };
}

race!(bare, anyone);
race!(full, signed_in);
