//! Header fields that every answer carries.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::limit;
use super::vary::Vary;
use crate::{Body, Response};

/// What a browser must not do with an API's answers. A route that serves a page sets its own policy first.
const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
];

/// The same as lines of a head, for an answer that is made without a request.
pub(crate) fn lines() -> String {
    let line = |(name, value): &(HeaderName, HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().unwrap_or_default())
    };
    SECURITY.iter().map(line).collect()
}

/// A year, as browsers and their lists of such sites want it at least. Subdomains are for who owns them to decide.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an answer begins with: without the fields for browsers and with them, each for nobody in particular and for one caller, each not counted
/// and counted by a limit. Copying a finished map costs a fraction of filling one.
static BEGINNINGS: LazyLock<[HeaderMap; 8]> =
    LazyLock::new(|| std::array::from_fn(|at| beginning(at & 4 != 0, at & 2 != 0, at & 1 != 0)));

fn beginning(security: bool, identified: bool, limited: bool) -> HeaderMap {
    // What one caller sees is for that caller's own cache at most (RFC 9111 section 3.5).
    let cache = if identified { "no-store" } else { "no-cache" };
    // A field that is set for each answer stands there too: setting it then finds its place made.
    let mut fields = HeaderMap::from_iter([
        (REQUEST_ID, HeaderValue::from_static("")),
        (header::CONTENT_TYPE, HeaderValue::from_static("")),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ]);
    if limited {
        fields.insert(limit::POLICY, HeaderValue::from_static(""));
        fields.insert(limit::STATE, HeaderValue::from_static(""));
    }
    if security {
        fields.extend(SECURITY);
    }
    if identified {
        fields.insert(header::VARY, HeaderValue::from_static("Authorization"));
    }
    fields
}

/// Puts the fields that every answer carries around those that the route gave, which win, but for the id.
pub(super) fn apply(
    response: &mut Response,
    security: bool,
    secure: bool,
    request_id: &str,
    vary: Vary,
    limited: bool,
) {
    let beginning =
        usize::from(security) * 4 + usize::from(vary.authorization) * 2 + usize::from(limited);
    let headers = response.headers_mut();
    let mut own = std::mem::replace(headers, BEGINNINGS[beginning].clone());
    let mut given = Given::default();
    // A field that comes more than once has its name at the first value only.
    let mut last = None;
    for (name, value) in own.drain() {
        match (name, &last) {
            (Some(name), _) => {
                given.note(&name);
                headers.insert(&name, value);
                last = Some(name);
            }
            (None, Some(name)) => drop(headers.append(name, value)),
            (None, None) => {}
        }
    }
    // Over a line that anybody can write on it would be anybody's word: browsers want it over TLS alone (RFC 6797 section 7.2).
    if security && secure && !headers.contains_key(header::STRICT_TRANSPORT_SECURITY) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if !given.kind {
        headers.remove(header::CONTENT_TYPE);
    }
    // With a tag it may be kept, if it is checked before each use.
    if given.tag && !given.cache {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
    }
    match vary.value() {
        Some(value) if given.vary => drop(headers.append(header::VARY, value)),
        Some(value) if vary.is_more_than_the_caller() => {
            headers.insert(header::VARY, value);
        }
        _ => {}
    }
    // Last: the id is that of the log and the trace, whatever the route says.
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Which of the fields that the edge would set the route gave itself.
#[derive(Default)]
struct Given {
    kind: bool,
    tag: bool,
    cache: bool,
    vary: bool,
}

impl Given {
    fn note(&mut self, name: &HeaderName) {
        self.kind |= name == header::CONTENT_TYPE;
        self.tag |= name == header::ETAG;
        self.cache |= name == header::CACHE_CONTROL;
        self.vary |= name == header::VARY;
    }
}

/// HEAD is GET without the body: the length stays.
pub(super) fn strip_body(response: &mut Response) {
    if let Some(length) = http_body::Body::size_hint(response.body())
        .exact()
        .filter(|length| *length > 0)
    {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
}
