//! The smallest application: `cargo run --example hello`, then open <http://127.0.0.1:8000/docs>.

use std::process::ExitCode;

use doyen::prelude::*;

/// A greeting.
#[derive(Output)]
struct Greeting {
    /// What is said.
    message: String,
}

/// How to greet.
#[derive(Input)]
struct Style {
    /// How many times.
    #[input(default = 1)]
    #[validate(range(min = 1, max = 3))]
    times: u32,
}

/// Greet a person by name
#[get("/hello/{name}", allow = anyone)]
async fn hello(name: String, style: Query<Style>) -> Json<Greeting> {
    let times = style.into_inner().times;
    Json(Greeting {
        message: vec![format!("Hello, {name}!"); times as usize].join(" "),
    })
}

fn main() -> ExitCode {
    doyen::run(App::new("hello").module(Module::new("greetings").routes(routes![hello])))
}
