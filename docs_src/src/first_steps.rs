//! The smallest application.

use doyen::prelude::*;

/// What is said.
#[derive(Output)]
struct Greeting {
    message: String,
}

/// Greet somebody by name.
#[get("/hello/{name}", allow = anyone)]
async fn hello(name: String) -> Json<Greeting> {
    let message = format!("Hello, {name}!");
    Json(Greeting { message })
}

/// Everything about greetings.
pub fn module() -> Module {
    Module::new("greetings").routes(routes![hello])
}

/// The application.
pub fn app() -> App {
    App::new("greeter").title("Greeter").module(module())
}
