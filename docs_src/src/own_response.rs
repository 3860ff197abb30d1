//! A response of your own, which describes itself, and a media type of your own.

use doyen::domain::Refusal;
use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::schema::contract::{Answer, Contract};
use doyen::web::response::MediaType;
use doyen::web::{Body, Parts, Response};
use futures_util::stream;

/// A calendar entry.
struct Entry(&'static str);

impl IntoResponse for Entry {
    fn into_response(self, _: &Parts) -> Result<Response, Refusal> {
        let text = format!("BEGIN:VCALENDAR\r\nSUMMARY:{}\r\nEND:VCALENDAR\r\n", self.0);
        let response = http::Response::builder().header("content-type", "text/calendar");
        response
            .body(Body::whole(text))
            .map_err(|error| Unexpected::from(error).into())
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = Schema::of("string");
        let answer = Answer::with_body(200, "The calendar entry.", "text/calendar", schema);
        contract.operation.answers.push(answer);
    }
}

/// Get a calendar entry
#[get("/entries/{id}", allow = anyone)]
async fn entry(id: u32) -> Entry {
    Entry(if id == 1 { "Tea" } else { "Cake" })
}

/// A PDF document.
struct Pdf;

impl MediaType for Pdf {
    const NAME: &'static str = "application/pdf";
}

/// Print a calendar
#[get("/print", allow = anyone)]
async fn print() -> Stream<Pdf> {
    let chunks = ["%PDF-1.7\n", "%%EOF\n"].map(|chunk| Ok::<_, std::io::Error>(chunk.into()));
    Stream::new(stream::iter(chunks))
}

/// Answer with anything
///
/// The document says only that.
#[get("/anything", allow = anyone)]
async fn anything() -> Response {
    let mut response = Response::new(Body::whole("<ok/>"));
    let xml = http::HeaderValue::from_static("application/xml");
    response.headers_mut().insert("content-type", xml);
    response
}

/// The module with the calendar.
pub fn module() -> Module {
    Module::new("calendar").routes(routes![entry, print, anything])
}
