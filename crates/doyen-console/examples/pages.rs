//! Prints a page: `cargo run -p doyen-console --example pages -- docs|problem`.

use std::io::Write as _;

use doyen_console::{ProblemPage, docs_page, problem_page};

fn main() -> std::io::Result<()> {
    let page = match std::env::args().nth(1).as_deref() {
        Some("problem") => problem_page(&ProblemPage {
            code: "invalid_transition",
            title: "The ticket cannot change this way",
            status: 409,
            summary: "A ticket goes from `open` to `solved` to `closed`. The requested step is not one of these.",
            what_to_do: "Read the ticket and look at `_links`: it lists the steps that are possible now.\n\nA closed ticket must be reopened first.",
        }),
        _ => docs_page("/openapi.json", None, "Helpdesk"),
    };
    std::io::stdout().write_all(page.as_bytes())
}
