//! A function around every request, which measures it.

use std::time::Instant;

use doyen::prelude::*;

#[around]
async fn process_time(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    let micros = start.elapsed().subsec_micros();
    response
        .headers_mut()
        .insert("x-process-micros", micros.into());
    response
}

/// Say hello
#[get("/", allow = anyone)]
async fn hello() -> Text {
    Text("Hello World".to_owned())
}

pub fn app() -> App {
    App::new("timed")
        .around(process_time)
        .module(Module::new("hello").routes(routes![hello]))
}
