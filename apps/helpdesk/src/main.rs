//! The `helpdesk` binary.

fn main() -> std::process::ExitCode {
    doyen::run(helpdesk::app())
}
