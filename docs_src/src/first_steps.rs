//! The smallest application.

use doyen::prelude::*;

/// A greeting.
#[derive(Output)]
struct Greeting {
    message: String,
}

/// Greet a person by name
#[get("/hello/{name}", allow = anyone)]
async fn hello(name: String) -> Json<Greeting> {
    let message = format!("Hello, {name}!");
    Json(Greeting { message })
}

/// The module with greetings.
pub fn module() -> Module {
    Module::new("greetings").routes(routes![hello])
}

/// Builds the application.
pub fn app() -> App {
    App::new("greeter").title("Greeter").module(module())
}
