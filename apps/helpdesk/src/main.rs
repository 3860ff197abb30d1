//! The helpdesk as a program.

fn main() -> std::process::ExitCode {
    doyen::run(helpdesk::app())
}
