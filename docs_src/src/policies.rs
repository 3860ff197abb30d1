//! The attribute of a route sets its policies, such as access, timeout and body limit.

use doyen::prelude::*;

/// The length of a text, in bytes or in words.
#[derive(Output)]
struct Length {
    bytes: u64,
}

/// Measure a text of up to 16 bytes
#[post("/length", allow = anyone, body_limit = 16, timeout = secs(2), tag = "text")]
async fn measure(body: doyen::web::extract::Bytes) -> Json<Length> {
    let bytes = body.len() as u64;
    Json(Length { bytes })
}

/// Count words
///
/// Use `/length` instead.
#[post("/words", allow = anyone, deprecated)]
async fn words(body: doyen::web::extract::Bytes) -> Json<Length> {
    let bytes = body.split(u8::is_ascii_whitespace).count() as u64;
    Json(Length { bytes })
}

/// The module with texts.
pub fn module() -> Module {
    Module::new("texts").routes(routes![measure, words])
}
