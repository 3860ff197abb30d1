//! A text that is sent line by line.

use std::io::Error;

use doyen::prelude::*;
use doyen::web::response::PlainText;
use futures_util::stream;

const STORY: &str = "Rick: Morty! You gotta come on.\nMorty: What, Rick? What's going on?\n";

/// Stream the story
#[get("/story/stream", allow = anyone)]
async fn story() -> Stream<PlainText> {
    Stream::new(stream::iter(
        STORY.lines().map(|line| Ok::<_, Error>(line.into())),
    ))
}

pub fn module() -> Module {
    Module::new("stories").routes(routes![story])
}
