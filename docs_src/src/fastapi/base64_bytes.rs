//! Bytes in JSON: a text that a type of your own decodes.

use std::fmt;
use std::str::FromStr;

use base64::prelude::*;
use doyen::prelude::*;

/// Bytes, as base64.
#[derive(Input, Output)]
#[input(from_str, pattern = "^[A-Za-z0-9+/]*={0,2}$")]
#[output(display)]
struct Bytes(Vec<u8>);

impl FromStr for Bytes {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        BASE64_STANDARD
            .decode(text)
            .map(Self)
            .map_err(|_| "must be base64")
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(&self.0))
    }
}

/// Data with a description.
#[derive(Input, Output)]
struct Data {
    description: String,
    data: Bytes,
}

/// Send data, and get it back
#[post("/data-in-out", allow = anyone)]
async fn in_out(Json(body): Json<Data>) -> Json<Data> {
    Json(body)
}

pub fn module() -> Module {
    Module::new("data").routes(routes![in_out])
}
