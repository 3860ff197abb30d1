//! Background jobs: enqueued with the request, retried after a failure, and applied once.

use std::sync::{Arc, Mutex, PoisonError};

use doyen::domain::{JobId, Schedule};
use doyen::prelude::*;
use serde::{Deserialize, Serialize};

/// A printer of receipts.
#[derive(Default)]
pub struct Printer {
    printed: Mutex<Vec<u32>>,
}

impl Printer {
    fn print(&self, order: u32) -> Result<(), Unexpected> {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        printed.push(order);
        match order {
            0 => Err(Unexpected::new("the printer is out of paper")),
            _ => Ok(()),
        }
    }
}

/// Prints the receipt of an order.
#[derive(Serialize, Deserialize)]
struct PrintReceipt {
    order: u32,
}

impl Job for PrintReceipt {
    const NAME: &'static str = "orders.print_receipt";
    const QUEUE: &'static str = "printer";
    const MAX_ATTEMPTS: u32 = 10;
    type Needs = Arc<Printer>;
    type Output = String;

    async fn run(self, printer: Arc<Printer>, job: JobRun) -> Result<String, JobError> {
        printer.print(self.order)?;
        Ok(format!("printed in attempt {}", job.attempt()))
    }
}

/// An order.
#[derive(Input)]
struct NewOrder {
    /// Number of the order.
    number: u32,
}

/// A job that was started.
#[derive(Output)]
struct Started {
    /// Id of the job.
    job: JobId,
}

/// Place an order
#[post("/orders", allow = anyone)]
async fn place(jobs: Jobs, Json(new): Json<NewOrder>) -> Result<Accepted<Started>, Unexpected> {
    let receipt = PrintReceipt { order: new.number };
    let unique = NewJob::new(receipt).unique(new.number.to_string());
    let job = jobs.enqueue(unique).await?;
    Ok(Accepted(Started { job }))
}

/// Get the status of a job
#[get("/jobs/{id}", allow = anyone)]
async fn status(jobs: Jobs, id: JobId) -> Result<Text, Unexpected> {
    let job = jobs.find(id).await?;
    Ok(Text(
        job.map_or("unknown", |job| job.status.as_str()).to_owned(),
    ))
}

/// The module with orders.
pub fn module() -> Module {
    let summary = Schedule::new("nightly summary", "30 2 * * *", || {
        NewJob::new(PrintReceipt { order: 999_999 })
    });
    Module::new("orders")
        .routes(routes![place, status])
        .provide(Arc::new(Printer::default()))
        .job::<PrintReceipt>()
        .schedule(summary.time_zone("Europe/Berlin"))
}
