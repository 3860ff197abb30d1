//! The program: `cargo run -p todo`.

fn main() -> std::process::ExitCode {
    doyen::run(todo::app())
}
