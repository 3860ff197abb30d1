//! Compression of responses (RFC 9110 sections 8.4 and 12.5.3).
//!
//! These are not compressed: responses that the route compressed itself; server-sent events; files
//! that are streamed, and ranges; and responses that must not be stored, such as tokens, because
//! the length of compressed text next to a secret can reveal the secret (BREACH). A client that
//! accepts nothing gets the response uncompressed, not a 406.
//!
//! The compressed form has other bytes, so a strong `ETag` gets the coding as a suffix: `"7"`
//! becomes `"7-gzip"`. Preconditions know both. A weak tag is for all forms.
//!
//! A short body is compressed in the task of its request, one at a time on each thread of the
//! runtime. Streams and long bodies have at most [`MAX_ENCODERS`] encoders. Further ones are sent
//! uncompressed.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use http_body::Body as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::coding::{Coding, EncodedBody, Encoder, encode};
use crate::etag::with_coding;
use crate::{Body, Response};

/// Minimum size. A smaller response fits into one packet anyway.
const MIN_BYTES: usize = 1 << 10;

/// Above this size the work moves to a blocking thread, so that the runtime is not blocked.
const MAX_INLINE_BYTES: usize = 64 << 10;

/// Maximum encoders of streams and of long bodies at a time, in this process.
const MAX_ENCODERS: usize = 64;

static ENCODERS: Semaphore = Semaphore::const_new(MAX_ENCODERS);

/// Headers of responses that must stay unchanged: another coding would need another value.
const BOUND_TO_CODING: [HeaderName; 4] = [
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// True if a response may be compressed, for any client. It must have only the headers of the
/// route.
pub(super) fn is_allowed(response: &Response) -> bool {
    is_large(response)
        && has_content(response.status())
        && is_text(response.headers())
        && is_transformable(response.headers())
}

fn is_large(response: &Response) -> bool {
    let body = response.body();
    if body.is_streamed() {
        // Ranges refer to the bytes of a file.
        return !response.headers().contains_key(header::ACCEPT_RANGES)
            && body
                .size_hint()
                .upper()
                .is_none_or(|most| most >= MIN_BYTES as u64);
    }
    body.as_whole()
        .is_some_and(|bytes| bytes.len() >= MIN_BYTES)
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
        || is("application/jsonl")
        || is("application/x-ndjson")
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

/// Compresses a response. It stays unchanged if that would not make it smaller, or if there are too
/// many encoders already.
pub(super) async fn apply(response: &mut Response, coding: Coding) {
    if response.body().is_streamed() {
        let Some((encoder, place)) = stream_encoder(coding) else {
            return;
        };
        let body = std::mem::take(response.body_mut());
        *response.body_mut() = Body::stream(EncodedBody::new(body, encoder, place));
    } else {
        let Some(bytes) = response.body().as_whole().cloned() else {
            return;
        };
        let Some(packed) = shortened(bytes, coding).await else {
            return;
        };
        *response.body_mut() = Body::whole(packed);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_ENCODING, coding.value());
    if let Some(tag) = headers.get_mut(header::ETAG)
        && let Some(other) = with_coding(tag, coding.name())
    {
        *tag = other;
    }
    // The server sets the new one.
    headers.remove(header::CONTENT_LENGTH);
    // Ranges would refer to other bytes.
    headers.remove(header::ACCEPT_RANGES);
}

fn stream_encoder(coding: Coding) -> Option<(Encoder, SemaphorePermit<'static>)> {
    let place = ENCODERS.try_acquire().ok()?;
    Some((Encoder::new(coding, None).ok()?, place))
}

/// Returns the compressed bytes if they are fewer.
async fn shortened(bytes: Bytes, coding: Coding) -> Option<Vec<u8>> {
    let length = bytes.len();
    let packed = if length > MAX_INLINE_BYTES {
        let place = ENCODERS.try_acquire().ok()?;
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            encode(coding, &bytes)
        });
        work.await.ok()?
    } else {
        encode(coding, &bytes)
    };
    packed.ok().filter(|packed| packed.len() < length)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "application/jsonl",
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
