//! The program: `cargo run -p notes`.

fn main() -> std::process::ExitCode {
    doyen::run(notes::app())
}
