//! Providers construct injectable values, with a lifetime, errors and cleanup.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::domain::inject::Teardown;
use doyen::prelude::*;

/// The ticket counter. Created once for the whole application.
#[derive(Clone)]
struct Counter(Arc<AtomicU32>);

#[provider(application)]
async fn counter() -> Counter {
    Counter(Arc::new(AtomicU32::new(0)))
}

/// The visitor's number. Created once for each request and shared within it.
#[derive(Clone)]
struct Number(u32);

/// Errors when taking a number.
#[derive(Debug, Problem)]
enum TakeNumber {
    /// All numbers for today are taken. Try again tomorrow.
    #[problem(unavailable)]
    SoldOut,
}

#[provider]
async fn number(counter: Counter, teardown: Teardown) -> Result<Number, TakeNumber> {
    let number = counter.0.fetch_add(1, Ordering::Relaxed) + 1;
    if number > 2 {
        return Err(TakeNumber::SoldOut);
    }
    // Runs at the end of the request, even if it failed.
    teardown.push(async { /* release a resource */ });
    Ok(Number(number))
}

/// A ticket.
#[derive(Output)]
struct Ticket {
    number: u32,
    again: u32,
}

/// Take a number
#[post("/numbers", allow = anyone)]
async fn take(first: Number, second: Number) -> Json<Ticket> {
    Json(Ticket {
        number: first.0,
        again: second.0,
    })
}

/// The module with the waiting room.
pub fn module() -> Module {
    Module::new("waiting_room").routes(routes![take])
}
