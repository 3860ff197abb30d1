//! A stream with a media type of your own.

use std::io::Error;

use doyen::prelude::*;
use doyen::web::response::MediaType;
use futures_util::stream;

struct Png;

impl MediaType for Png {
    const NAME: &'static str = "image/png";
}

/// Stream the image
#[get("/image/stream", allow = anyone)]
async fn image() -> Stream<Png> {
    Stream::new(stream::iter(
        ["\u{89}PNG", "..."].map(|chunk| Ok::<_, Error>(chunk.into())),
    ))
}

pub fn module() -> Module {
    Module::new("images").routes(routes![image])
}
