//! Functions that make what is injected: with a lifetime, with errors, and with something to do at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::domain::inject::Teardown;
use doyen::prelude::*;

/// Numbers for tickets. One for the whole application.
#[derive(Clone)]
struct Counter(Arc<AtomicU32>);

#[provider(application)]
async fn counter() -> Counter {
    Counter(Arc::new(AtomicU32::new(0)))
}

/// The number of this visitor. One for each request, however many ask.
#[derive(Clone)]
struct Number(u32);

/// Why there is no number.
#[derive(Debug, Problem)]
enum TakeNumber {
    /// All numbers of today are gone. Come back tomorrow.
    #[problem(unavailable)]
    SoldOut,
}

#[provider]
async fn number(counter: Counter, teardown: Teardown) -> Result<Number, TakeNumber> {
    let number = counter.0.fetch_add(1, Ordering::Relaxed) + 1;
    if number > 2 {
        return Err(TakeNumber::SoldOut);
    }
    // Runs when the request is over, whatever came of it.
    teardown.push(async { /* give something back */ });
    Ok(Number(number))
}

/// What stands on the ticket.
#[derive(Output)]
struct Ticket {
    number: u32,
    again: u32,
}

/// Take a number.
#[post("/numbers", allow = anyone)]
async fn take(first: Number, second: Number) -> Json<Ticket> {
    Json(Ticket {
        number: first.0,
        again: second.0,
    })
}

/// The waiting room.
pub fn module() -> Module {
    Module::new("waiting_room").routes(routes![take])
}
