//! Events as the response of a POST.

use doyen::prelude::*;
use doyen::web::response::Event;
use futures_util::stream;

/// A prompt.
#[derive(Input)]
struct Prompt {
    text: String,
}

/// Chat
#[post("/chat/stream", allow = anyone)]
async fn chat(Json(prompt): Json<Prompt>) -> Sse<String> {
    let words: Vec<String> = prompt.text.split_whitespace().map(str::to_owned).collect();
    let tokens = words.into_iter().map(|word| Event::new(word).name("token"));
    let done = Event::new("[DONE]".to_owned()).name("done");
    Sse::all(stream::iter(tokens.chain([done])))
}

pub fn module() -> Module {
    Module::new("chat").routes(routes![chat])
}
