//! Compression of complete responses with gzip (RFC 9110 sections 8.4 and 12.5.3).
//!
//! These are not compressed: responses that the route compressed itself; streams; responses with an
//! `ETag`, since the compressed one would need another tag, and `If-Match` needs the original; and
//! responses that must not be stored, such as tokens, because the length of compressed text next to
//! a secret can reveal the secret (BREACH). A client that accepts nothing gets the response
//! uncompressed, not a 406.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{Body, Response};

/// Minimum size. A smaller response fits into one packet anyway.
const MIN_BYTES: usize = 1 << 10;

/// Above this size the work moves to a blocking thread, so that the runtime is not blocked.
const MAX_INLINE_BYTES: usize = 64 << 10;

/// Headers of responses that must stay unchanged: another coding would need another value.
const BOUND_TO_CODING: [HeaderName; 5] = [
    header::ETAG,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// True if the client accepts gzip. One lookup if it states nothing.
pub(super) fn is_accepted(head: &http::request::Parts) -> bool {
    let mut fields = head.headers.get_all(header::ACCEPT_ENCODING).iter();
    let Some(first) = fields.next() else {
        return false;
    };
    let mut weights = Weights::default();
    for field in std::iter::once(first).chain(fields) {
        weights.read(field.to_str().unwrap_or_default());
    }
    weights.gzip_is_best()
}

/// The weights that the client gives to codings, in thousandths.
#[derive(Default)]
struct Weights {
    gzip: Option<u16>,
    any: Option<u16>,
    identity: Option<u16>,
}

impl Weights {
    fn read(&mut self, field: &str) {
        for item in field.split(',') {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            // An invalid weight counts as a refusal.
            let weight = Some(weight(parameters).unwrap_or(0));
            let name = name.trim();
            if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
                self.gzip = self.gzip.max(weight);
            } else if name.eq_ignore_ascii_case("identity") {
                self.identity = weight;
            } else if name == "*" {
                self.any = weight;
            }
        }
    }

    /// `*` covers gzip if gzip is not listed. A client can prefer identity by a higher weight.
    fn gzip_is_best(&self) -> bool {
        let gzip = self.gzip.or(self.any).unwrap_or(0);
        gzip > 0 && self.identity.is_none_or(|identity| gzip >= identity)
    }
}

/// Parses the weight in `q=0.5`. It is 1 if missing, and `None` if malformed.
fn weight(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1000);
    }
    let (name, value) = parameters.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, rest) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// True if a response may be compressed, for any client. It must have only the headers of the
/// route.
pub(super) fn is_allowed(response: &Response) -> bool {
    let is_large = response
        .body()
        .as_whole()
        .is_some_and(|bytes| bytes.len() >= MIN_BYTES);
    is_large
        && has_content(response.status())
        && is_text(response.headers())
        && is_transformable(response.headers())
}

fn has_content(status: StatusCode) -> bool {
    !matches!(
        status,
        StatusCode::NO_CONTENT
            | StatusCode::RESET_CONTENT
            | StatusCode::PARTIAL_CONTENT
            | StatusCode::NOT_MODIFIED
    )
}

fn media_type(headers: &HeaderMap) -> &str {
    let field = headers.get(header::CONTENT_TYPE);
    let text = field.and_then(|field| field.to_str().ok());
    let text = text.unwrap_or_default();
    text.split_once(';').map_or(text, |(kind, _)| kind).trim()
}

/// True for media types that compress well. Images and archives are already compressed.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = media_type(headers);
    let begins = |with: &str| {
        kind.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let ends = |with: &str| {
        kind.len()
            .checked_sub(with.len())
            .and_then(|at| kind.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(with))
    };
    let is = |other: &str| kind.eq_ignore_ascii_case(other);
    is("application/json")
        || ends("+json")
        || is("application/javascript")
        || is("image/svg+xml")
        || (begins("text/") && !is("text/event-stream"))
}

/// Problems must not be stored either, but contain no secrets.
fn is_transformable(headers: &HeaderMap) -> bool {
    if BOUND_TO_CODING
        .iter()
        .any(|name| headers.contains_key(name))
    {
        return false;
    }
    let is_problem = media_type(headers) == "application/problem+json";
    let directives = headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    !directives.map(str::trim).any(|directive| {
        directive.eq_ignore_ascii_case("no-transform")
            || (!is_problem && directive.eq_ignore_ascii_case("no-store"))
    })
}

/// Compresses a response. It stays unchanged if that would not make it smaller, or if no thread is
/// available.
pub(super) async fn apply(response: &mut Response) {
    let Some(bytes) = response.body().as_whole().cloned() else {
        return;
    };
    let length = bytes.len();
    let packed = if length > MAX_INLINE_BYTES {
        let work = tokio::task::spawn_blocking(move || gzip(&bytes));
        work.await.ok().flatten()
    } else {
        gzip(&bytes)
    };
    let Some(packed) = packed.filter(|packed| packed.len() < length) else {
        return;
    };
    *response.body_mut() = Body::whole(packed);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    // The server sets the new one.
    headers.remove(header::CONTENT_LENGTH);
    // Ranges would refer to other bytes.
    headers.remove(header::ACCEPT_RANGES);
}

/// The fastest level shrinks a JSON list by four fifths. The default level shrinks it by seven
/// eighths and takes up to eight times as long.
fn gzip(bytes: &Bytes) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(fields: &[&str]) -> bool {
        let mut request = http::Request::get("/");
        for field in fields {
            request = request.header(header::ACCEPT_ENCODING, *field);
        }
        is_accepted(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn gzip_is_used_if_the_client_accepts_it() {
        for fields in [
            &["gzip"][..],
            &["GZip"],
            &["x-gzip"],
            &["*"],
            &["gzip, deflate, br, zstd"],
            &["br;q=1.0, gzip;q=0.8, *;q=0.1"],
            &["gzip;q=0.001"],
            &["gzip;q=1.000"],
            &["gzip ; Q=0.5"],
            &["gzip;q=0.5, identity;q=0.5"],
            &["gzip;q=0.5, *;q=1"],
            &["identity;q=0, *;q=0.5"],
            &["identity;q=0, gzip"],
            &["*;q=0, gzip;q=0.1"],
            &["deflate", "gzip"],
            &[",, gzip,,"],
        ] {
            assert!(accepts(fields), "{fields:?}");
        }
    }

    #[test]
    fn gzip_is_not_used_otherwise() {
        for fields in [
            &[][..],
            &[""],
            &["identity"],
            &["br, zstd"],
            &["gzip;q=0"],
            &["gzip;q=0."],
            &["gzip;q=0.000"],
            &["gzip;q=0, *"],
            &["*;q=0"],
            &["identity;q=0"],
            &["identity;q=0, *;q=0"],
            &["gzip;q=0.5, identity"],
            &["*;q=0.5, identity;q=0.6"],
            &["gzip;q=1.001"],
            &["gzip;q=2"],
            &["gzip;q=-1"],
            &["gzip;q=0.5000"],
            &["gzip;q="],
            &["gzip;q"],
            &["gzip;q=0,5"],
            &["gzip;level=9"],
            &["gzipped"],
            &["not-gzip"],
            &["gzip\u{e9}"],
        ] {
            assert!(!accepts(fields), "{fields:?}");
        }
    }

    #[test]
    fn text_is_compressed_and_images_are_not() {
        let is_allowed = |kind: &str| {
            let body = Body::whole(vec![b'a'; MIN_BYTES]);
            let response = http::Response::builder().header(header::CONTENT_TYPE, kind);
            super::is_allowed(&response.body(body).unwrap())
        };
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "application/vnd.api+json",
            "text/plain; charset=utf-8",
            "text/html",
            "image/svg+xml",
            "application/javascript",
        ] {
            assert!(is_allowed(kind), "{kind}");
        }
        for kind in [
            "",
            "text",
            "image/png",
            "application/octet-stream",
            "application/gzip",
            "text/event-stream",
            "application/jsonx",
            "+xml",
        ] {
            assert!(!is_allowed(kind), "{kind}");
        }
    }
}
