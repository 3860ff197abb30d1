//! The complete program: `cargo run -p docs_src`.

use std::process::ExitCode;

fn main() -> ExitCode {
    doyen::run(docs_src::first_steps::app())
}
