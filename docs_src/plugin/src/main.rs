//! An application that has the plugin: `cargo run -p nodes`.

use std::process::ExitCode;

use doyen::App;
use nodes::Nodes;

fn main() -> ExitCode {
    doyen::run(App::new("cluster").plugin(Nodes))
}
