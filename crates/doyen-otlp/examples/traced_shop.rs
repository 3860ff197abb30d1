//! The application of the tests as a program, for a trace over two processes.

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/suite/app.rs"]
mod app;

use doyen_test::Subject as _;

fn main() -> std::process::ExitCode {
    doyen::run(app::Shop::app())
}
