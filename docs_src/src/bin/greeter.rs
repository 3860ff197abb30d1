//! A complete service.

use std::process::ExitCode;

use doyen::prelude::*;

/// A greeting.
#[derive(Output)]
struct Greeting {
    message: String,
}

/// Greet a person by name
#[get("/hello/{name}", allow = anyone)]
async fn hello(
    name: String,
    /// Number of times to say hello.
    #[query(default = 1, range(min = 1, max = 3))]
    times: u8,
) -> Json<Greeting> {
    let message = "Hello, ".repeat(times.into()) + &name;
    Json(Greeting { message })
}

fn main() -> ExitCode {
    doyen::run(App::new("greeter").module(Module::new("greetings").routes(routes![hello])))
}
