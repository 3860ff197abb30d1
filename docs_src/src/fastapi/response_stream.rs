//! A stream of bytes.

use std::io::Error;

use doyen::prelude::*;
use futures_util::stream;

/// Stream a video
#[get("/", allow = anyone)]
async fn video() -> Stream {
    Stream::new(stream::iter(
        [(); 10].map(|()| Ok::<_, Error>("some fake video bytes".into())),
    ))
}

pub fn module() -> Module {
    Module::new("videos").routes(routes![video])
}
