//! Compression of whole answers with gzip (RFC 9110 sections 8.4 and 12.5.3).
//!
//! What is left as it is: what a route compressed itself; streams; what has an `ETag`, since a compressed answer would need another one and
//! `If-Match` wants it back; and what no cache may keep, such as tokens: with text of an attacker beside a secret, the length tells of the
//! secret (BREACH). Nothing is refused with 406: where nothing fits, the answer goes as it is.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{Body, Response};

/// Below it a compressed answer saves no packet.
const FLOOR: usize = 1 << 10;

/// Above it the work is done elsewhere: a thread of the runtime must not be busy for long.
const BLOCKING: usize = 64 << 10;

/// Fields of answers that must stay as they are: another coding would need another value.
const FIXED: [HeaderName; 5] = [
    header::ETAG,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Whether the client takes gzip. One look-up when it says nothing.
pub(super) fn wanted(head: &http::request::Parts) -> bool {
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

/// What the client thinks of each coding, in thousandths.
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
            // A weight that is none is no wish.
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

    /// `*` speaks for gzip where gzip is not named. A client that names identity with more weight wants that.
    fn gzip_is_best(&self) -> bool {
        let gzip = self.gzip.or(self.any).unwrap_or(0);
        gzip > 0 && self.identity.is_none_or(|identity| gzip >= identity)
    }
}

/// The weight in `q=0.5`, 1 without one; `None` when it is not well-formed.
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

/// Whether an answer could be compressed, for whoever asks. Looks at what the route gave: before the edge adds its fields.
pub(super) fn fits(response: &Response) -> bool {
    let large = response
        .body()
        .as_whole()
        .is_some_and(|bytes| bytes.len() >= FLOOR);
    large
        && has_content(response.status())
        && is_text(response.headers())
        && may(response.headers())
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

/// Media types that become smaller. Images and archives already are.
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

/// Problems may not be kept either, but there is no secret in them.
fn may(headers: &HeaderMap) -> bool {
    if FIXED.iter().any(|name| headers.contains_key(name)) {
        return false;
    }
    let problem = media_type(headers) == "application/problem+json";
    let directives = headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    !directives.map(str::trim).any(|directive| {
        directive.eq_ignore_ascii_case("no-transform")
            || (!problem && directive.eq_ignore_ascii_case("no-store"))
    })
}

/// Compresses an answer that fits. It goes as it is when that would not make it smaller, or when there is no thread for the work.
pub(super) async fn apply(response: &mut Response) {
    let Some(bytes) = response.body().as_whole().cloned() else {
        return;
    };
    let length = bytes.len();
    let packed = if length > BLOCKING {
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
    // The server writes the new one.
    headers.remove(header::CONTENT_LENGTH);
    // Ranges would be those of other bytes.
    headers.remove(header::ACCEPT_RANGES);
}

/// The fastest level takes four fifths off a list in JSON. The usual one takes seven eighths, and up to eight times as long.
fn gzip(bytes: &Bytes) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(fields: &[&str]) -> bool {
        let mut request = http::Request::get("/");
        for field in fields {
            request = request.header(header::ACCEPT_ENCODING, *field);
        }
        wanted(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn gzip_is_taken_where_it_is_wanted() {
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
            assert!(takes(fields), "{fields:?}");
        }
    }

    #[test]
    fn gzip_is_not_forced_on_anybody() {
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
            assert!(!takes(fields), "{fields:?}");
        }
    }

    #[test]
    fn text_becomes_smaller_and_images_do_not() {
        let fits = |kind: &str| {
            let body = Body::whole(vec![b'a'; FLOOR]);
            let response = http::Response::builder().header(header::CONTENT_TYPE, kind);
            super::fits(&response.body(body).unwrap())
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
            assert!(fits(kind), "{kind}");
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
            assert!(!fits(kind), "{kind}");
        }
    }
}
