//! Measures what requests leave behind: jobs, events, and values in the cache.
//!
//! ```sh
//! state-bench jobs 20000            # how many jobs a worker runs in a second
//! state-bench events 5000 500       # 5,000 events, 500 a second: time from commit to handler
//! state-bench cached 1000000        # time of the processor for a value from the first tier
//! ```
//!
//! `DATABASE_URL` names an empty database. The application reads its settings as usual, for example
//! `APP_JOBS__CONCURRENCY` and `APP_DATABASE__SYNCHRONOUS`.

mod cached;
mod events;
mod jobs;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use doyen::settings::Loader;

/// The result of a measurement, as a line of text.
type Measured = Result<String, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let measured = match arguments[..] {
        ["jobs", jobs] => Box::pin(jobs::run(jobs)).await,
        ["events", events, rate] => events::run(events, rate).await,
        ["cached", reads] => cached::run(reads).await,
        _ => Err("one of: jobs JOBS, events EVENTS RATE, cached READS".into()),
    };
    match measured {
        Ok(line) => {
            let _ = writeln!(std::io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// The error that an unexpected one has as its cause.
fn cause(unexpected: doyen::prelude::Unexpected) -> String {
    doyen::domain::chain(unexpected.error())
}

/// The settings from the environment.
fn loader() -> Loader {
    Loader::new("APP").env(std::env::vars())
}
