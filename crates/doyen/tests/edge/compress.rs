//! Compressed responses (RFC 9110 sections 8.4 and 12.5.3): which ones, and that their content is
//! the same.

use std::io::Read as _;

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::{Body, EdgeOptions, Response, Service};
use http::Request;

use crate::kit::{Answer, finish, get_with, send};

/// Lines.
#[derive(Output)]
struct Lines {
    lines: Vec<String>,
}

/// A thing with a version.
#[derive(Output)]
#[output(etag = version)]
struct Thing {
    lines: Vec<String>,
    version: String,
}

fn lines(count: u32) -> Vec<String> {
    (0..count).map(|line| format!("line {line}")).collect()
}

/// So many lines.
#[get("/lines/{count}", allow = anyone)]
async fn some(count: u32) -> Json<Lines> {
    Json(Lines {
        lines: lines(count),
    })
}

/// So many bytes.
#[get("/text/{count}", allow = anyone)]
async fn text(count: u32) -> Text {
    Text("a".repeat(count as usize))
}

/// Something with a version.
#[get("/thing", allow = anyone)]
async fn thing() -> Json<Thing> {
    Json(Thing {
        lines: lines(1000),
        version: "1".to_owned(),
    })
}

#[derive(Debug, Problem)]
enum Change {
    /// The thing has changed.
    #[problem(precondition_failed, code = "precondition_failed")]
    Stale,
}

/// Changes the thing if the version fits.
#[patch("/thing", allow = anyone)]
async fn change(seen: IfMatch) -> Result<NoContent, Change> {
    seen.fits(1).then_some(NoContent).ok_or(Change::Stale)
}

/// A token next to much other content.
#[get("/token", allow = anyone)]
async fn token() -> NoStore<Lines> {
    NoStore(Lines { lines: lines(1000) })
}

/// Lines as they come, this many.
#[get("/stream/{count}", allow = anyone)]
async fn stream(count: u32) -> Stream<doyen::web::response::Csv> {
    let lines = (0..count).map(|line| {
        Ok::<_, std::io::Error>(Bytes::from(format!(
            "{line},one more line of the same kind\n"
        )))
    });
    Stream::new(futures_util::stream::iter(lines))
}

/// A stream next to a secret.
#[get("/secret-stream", allow = anyone)]
async fn secret_stream() -> Response {
    let chunk = Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(vec![b'a'; 5000])));
    let body = http_body_util::StreamBody::new(futures_util::stream::iter([chunk]));
    let response = http::Response::builder()
        .header("content-type", "text/plain")
        .header("cache-control", "no-store");
    response.body(Body::stream(body)).unwrap()
}

/// Events.
#[get("/events", allow = anyone)]
async fn events() -> Response {
    let chunk = Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(
        "data: a\n\n".repeat(500),
    )));
    let body = http_body_util::StreamBody::new(futures_util::stream::iter([chunk]));
    let response = http::Response::builder().header("content-type", "text/event-stream");
    response.body(Body::stream(body)).unwrap()
}

/// A response created by hand, as `name=value` says.
#[get("/made/{status}/{name}/{value}", allow = anyone)]
async fn made(status: u16, name: String, value: String) -> Response {
    let response = http::Response::builder()
        .status(status)
        .header("content-type", "text/plain")
        .header(name, value.replace('~', "/"));
    response.body(Body::whole(vec![b'a'; 5000])).unwrap()
}

/// Bytes that do not become smaller.
#[get("/noise", allow = anyone)]
async fn noise() -> Response {
    let mut state = 88_172_645_463_325_252_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(2000)
    .collect();
    let response = http::Response::builder().header("content-type", "text/plain");
    response.body(Body::whole(bytes)).unwrap()
}

/// At least 1.
#[derive(Input)]
struct Positive(#[validate(range(min = 1))] i32);

/// Numbers.
#[derive(Input)]
struct Numbers {
    numbers: Vec<Positive>,
}

/// Take numbers.
#[post("/numbers", allow = anyone)]
async fn take(Json(numbers): Json<Numbers>) -> Text {
    let sum: i32 = numbers.numbers.iter().map(|number| number.0).sum();
    Text(sum.to_string())
}

fn service() -> Service {
    with(EdgeOptions::default())
}

fn with(options: EdgeOptions) -> Service {
    let module = Module::new("t").routes(routes![
        some,
        text,
        thing,
        change,
        token,
        stream,
        secret_stream,
        events,
        made,
        noise,
        take
    ]);
    finish(Service::builder().options(options).module(module))
}

async fn coded(service: &Service, path: &str, accepts: &str) -> Answer {
    get_with(service, path, &[("accept-encoding", accepts)]).await
}

async fn gzip(service: &Service, path: &str) -> Answer {
    coded(service, path, "gzip").await
}

impl Answer {
    fn is_packed(&self) -> bool {
        self.header("content-encoding").is_some()
    }

    /// Decodes the body with a decoder that is not that of the server.
    fn unpacked(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut packed = &self.body[..];
        match self.header("content-encoding") {
            Some("gzip") => flate2::bufread::GzDecoder::new(&mut packed).read_to_end(&mut bytes),
            Some("zstd") => ruzstd::decoding::StreamingDecoder::new(&mut packed)
                .unwrap()
                .read_to_end(&mut bytes),
            Some("br") => {
                brotli_decompressor::Decompressor::new(&mut packed, 4096).read_to_end(&mut bytes)
            }
            other => panic!("the coding is {other:?}"),
        }
        .unwrap();
        assert!(packed.is_empty(), "nothing follows it");
        bytes
    }

    fn depends_on_encoding(&self) -> bool {
        let fields = self.headers.get_all("vary").iter();
        let text: Vec<&str> = fields.map(|field| field.to_str().unwrap()).collect();
        text.join(", ").contains("Accept-Encoding")
    }

    /// The response is not compressed, and has no `Vary` for it.
    #[track_caller]
    fn is_untouched(&self) {
        assert!(!self.is_packed(), "{self:?}");
        assert!(!self.depends_on_encoding(), "{self:?}");
    }
}

/// The codings that this build has.
const CODINGS: &[&str] = &[
    "gzip",
    #[cfg(feature = "zstd")]
    "zstd",
    #[cfg(feature = "brotli")]
    "br",
];

#[tokio::test]
async fn the_decompressed_response_is_the_uncompressed_one() {
    let service = service();
    // Small bodies are compressed at once, those above 64 KiB on another thread.
    for path in [
        "/lines/150",
        "/lines/5000",
        "/lines/50000",
        "/text/1024",
        "/text/65536",
        "/text/65537",
        "/stream/500",
        "/stream/100000",
    ] {
        let plain = get_with(&service, path, &[]).await;
        assert!(plain.status == 200 && !plain.is_packed(), "{path}");
        // `Vary` is sent whether or not the client accepts an encoding.
        assert!(plain.depends_on_encoding(), "{path}");
        for coding in CODINGS {
            let packed = coded(&service, path, coding).await;
            assert_eq!(packed.status, 200);
            assert_eq!(packed.header("content-encoding"), Some(*coding));
            assert!(packed.unpacked() == plain.body, "{path} in {coding}");
            assert!(
                packed.body.len() < plain.body.len() / 2,
                "{path} in {coding}"
            );
            assert!(packed.depends_on_encoding());
            assert_eq!(packed.header("content-type"), plain.header("content-type"));
            packed.is_guarded();
        }
    }
}

#[tokio::test]
async fn small_responses_are_not_compressed() {
    let service = service();
    for path in ["/text/1", "/text/1023", "/lines/1", "/nowhere"] {
        gzip(&service, path).await.is_untouched();
    }
}

#[tokio::test]
async fn accept_encoding_is_honoured_and_no_client_refused() {
    let service = service();
    for (field, packed) in [
        ("gzip", true),
        ("*", true),
        ("gzip;q=0.001", true),
        ("identity;q=0, gzip;q=0.5", true),
        ("compress;q=1.0, gzip;q=0.2", true),
        ("gzip;q=0", false),
        ("zstd;q=0, br;q=0, gzip;q=0, *;q=1", false),
        ("identity", false),
        ("identity;q=0", false),
        ("*;q=0", false),
        ("compress, deflate", false),
        ("gzip;q=0.4, identity;q=0.5", false),
        ("gzip;q=nonsense", false),
        ("", false),
    ] {
        let answer = coded(&service, "/text/5000", field).await;
        assert_eq!(answer.status, 200, "{field}");
        assert_eq!(answer.is_packed(), packed, "{field}");
        assert!(answer.depends_on_encoding(), "{field}");
    }
    let two = [("accept-encoding", "deflate"), ("accept-encoding", "gzip")];
    assert!(get_with(&service, "/text/5000", &two).await.is_packed());
}

#[cfg(all(feature = "zstd", feature = "brotli"))]
#[tokio::test]
async fn the_client_chooses_the_coding_and_else_the_server() {
    let service = service();
    for (field, coding) in [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("*", "zstd"),
        ("zstd;q=0.5, br;q=0.8, gzip;q=0.1", "br"),
        ("zstd;q=0, *;q=0.1", "br"),
        ("gzip, zstd;q=0.999", "gzip"),
    ] {
        let answer = coded(&service, "/thing", field).await;
        assert_eq!(answer.header("content-encoding"), Some(coding), "{field}");
        let tag = format!("\"1-{coding}\"");
        assert_eq!(answer.header("etag"), Some(&*tag), "{field}");
        // The tag of a coding that the client does not accept now is not its version.
        for (accepts, status) in [(field, 304), (coding, 304), ("identity", 200)] {
            let fields = [("accept-encoding", accepts), ("if-none-match", &*tag)];
            let known = get_with(&service, "/thing", &fields).await;
            assert_eq!(known.status, status, "{tag} with {accepts}");
            if status == 304 {
                assert_eq!(known.header("etag"), Some(&*tag));
            }
        }
    }
}

#[tokio::test]
async fn each_coding_of_a_strong_tag_has_a_tag_of_its_own() {
    let service = service();
    let plain = get_with(&service, "/thing", &[]).await;
    let packed = gzip(&service, "/thing").await;
    assert_eq!(packed.unpacked(), plain.body);
    let tags = (plain.header("etag"), packed.header("etag"));
    assert_eq!(tags, (Some("\"1\""), Some("\"1-gzip\"")));
    for (accepts, known, status, tag) in [
        ("gzip", "\"1-gzip\"", 304, "\"1-gzip\""),
        ("gzip", "W/\"1-gzip\", \"2\"", 304, "\"1-gzip\""),
        ("gzip", "\"1\"", 304, "\"1\""),
        ("", "\"1\"", 304, "\"1\""),
        ("gzip", "\"2-gzip\"", 200, "\"1-gzip\""),
        ("gzip", "\"1-deflate\"", 200, "\"1-gzip\""),
        // It could not read what it has.
        ("identity", "\"1-gzip\"", 200, "\"1\""),
    ] {
        let fields = [("accept-encoding", accepts), ("if-none-match", known)];
        let answer = get_with(&service, "/thing", &fields).await;
        assert_eq!(
            (answer.status, answer.header("etag")),
            (status, Some(tag)),
            "{known}"
        );
        // A cache replaces the stored header by that of the 304.
        assert_eq!(answer.depends_on_encoding(), known != "\"1\"", "{known}");
    }
    // A precondition is about the version, whatever the coding.
    for tag in ["\"1-gzip\"", "\"1\"", "\"0\", \"1-br\""] {
        let request = Request::patch("/thing").header("if-match", tag);
        let answer = send(&service, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 204, "{tag}: {answer:?}");
    }
    let request = Request::patch("/thing").header("if-match", "\"2-gzip\"");
    let answer = send(&service, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 412);
}

#[tokio::test]
async fn a_weak_tag_is_for_every_coding() {
    let service = service();
    for accepts in ["gzip", "identity"] {
        let fields = [("accept-encoding", accepts)];
        let answer = get_with(&service, "/made/200/etag/W~%22a%22", &fields).await;
        assert_eq!(answer.header("etag"), Some("W/\"a\""));
        assert_eq!(answer.is_packed(), accepts == "gzip");
        let fields = [("accept-encoding", accepts), ("if-none-match", "W/\"a\"")];
        let known = get_with(&service, "/made/200/etag/W~%22a%22", &fields).await;
        assert_eq!((known.status, known.depends_on_encoding()), (304, true));
    }
}

#[tokio::test]
async fn responses_with_no_store_are_not_compressed() {
    let answer = gzip(&service(), "/token").await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.is_untouched();
}

#[tokio::test]
async fn events_secrets_and_encoded_responses_are_not_compressed() {
    let service = service();
    for path in ["/events", "/secret-stream"] {
        gzip(&service, path).await.is_untouched();
    }
    for path in [
        "/made/200/cache-control/no-transform",
        "/made/200/cache-control/public,%20NO-TRANSFORM",
        "/made/200/cache-control/private,%20no-store",
        "/made/200/content-range/bytes%200-4999~9000",
        "/made/200/repr-digest/x",
        "/made/206/x-own/1",
    ] {
        let answer = gzip(&service, path).await;
        answer.is_untouched();
        assert_eq!(answer.body.len(), 5000, "{path}");
    }
    // It must not be compressed twice.
    let ready = gzip(&service, "/made/200/content-encoding/gzip").await;
    assert_eq!(ready.body, vec![b'a'; 5000]);
    assert!(!ready.depends_on_encoding());
    for path in [
        "/made/200/x-own/1",
        "/made/201/x-own/1",
        "/made/404/x-own/1",
    ] {
        assert!(gzip(&service, path).await.is_packed(), "{path}");
    }
}

#[tokio::test]
async fn a_length_written_by_hand_does_not_stay() {
    let service = service();
    let answer = gzip(&service, "/made/200/content-length/5000").await;
    assert_eq!(answer.unpacked().len(), 5000);
    assert_eq!(answer.header("content-length"), None);
}

#[tokio::test]
async fn incompressible_responses_are_sent_unchanged() {
    let answer = gzip(&service(), "/noise").await;
    assert!(!answer.is_packed());
    assert_eq!(answer.body.len(), 2000);
    assert!(answer.depends_on_encoding());
}

#[tokio::test]
async fn a_long_problem_is_compressed_like_any_answer() {
    let body = format!("{{\"numbers\": [{}0]}}", "0,".repeat(40));
    let request = Request::post("/numbers")
        .header("content-type", "application/json")
        .header("accept-encoding", "gzip");
    let request = request.body(Body::whole(body)).unwrap();
    let packed = send(&service(), request).await;
    assert_eq!(packed.status, 422);
    let plain = Answer {
        body: packed.unpacked().into(),
        ..packed
    };
    assert_eq!(plain.failures().len(), 41);
}

#[tokio::test]
async fn head_says_what_get_says() {
    let service = service();
    let head = async |fields: &[(&str, &str)]| {
        let mut request = Request::head("/text/5000");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        send(&service, request.body(Body::empty()).unwrap()).await
    };
    for coding in CODINGS {
        let packed = head(&[("accept-encoding", coding)]).await;
        let whole = coded(&service, "/text/5000", coding).await;
        assert_eq!(packed.header("content-encoding"), Some(*coding));
        assert!(packed.body.is_empty() && packed.depends_on_encoding());
        let length = whole.body.len().to_string();
        assert_eq!(packed.header("content-length"), Some(&*length));
    }
    let plain = head(&[]).await;
    assert!(!plain.is_packed() && plain.depends_on_encoding());
    assert_eq!(plain.header("content-length"), Some("5000"));
}

#[tokio::test]
async fn switched_off_nothing_is_compressed_and_nothing_said() {
    let options = EdgeOptions {
        compression: false,
        ..EdgeOptions::default()
    };
    let service = with(options);
    for path in ["/text/5000", "/stream/500"] {
        gzip(&service, path).await.is_untouched();
    }
}
