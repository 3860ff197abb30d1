//! Headers and cookies: one by one, and as structs.

use doyen::prelude::*;

/// The common headers.
#[derive(Input)]
struct CommonHeaders {
    host: String,
    save_data: bool,
    traceparent: Option<String>,
    #[input(default)]
    x_tag: Vec<String>,
}

/// Read headers and a cookie
#[get("/items", allow = anyone)]
async fn items(
    #[header] user_agent: Option<String>,
    #[header(default)] x_token: Vec<String>,
    #[header(rename = "strange_header")] strange_header: Option<String>,
    #[cookie] ads_id: Option<String>,
) -> Text {
    Text(format!(
        "{user_agent:?} {x_token:?} {strange_header:?} {ads_id:?}"
    ))
}

/// Read headers into a struct
#[get("/common", allow = anyone)]
async fn common(Header(headers): Header<CommonHeaders>) -> Text {
    let CommonHeaders {
        host,
        save_data,
        traceparent,
        x_tag,
    } = headers;
    Text(format!("{host} {save_data} {traceparent:?} {x_tag:?}"))
}

/// The module with headers.
pub fn module() -> Module {
    Module::new("headers").routes(routes![items, common])
}
