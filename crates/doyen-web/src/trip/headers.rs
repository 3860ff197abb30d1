//! Header fields that every answer carries.

use doyen_core::{Caller, CredentialHeader};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::limit;
use super::vary::{self, Vary};
use crate::etag::CallerPart;
use crate::route::Entry;
use crate::service::EdgeOptions;
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

/// Headers that the responses of one application start from, prepared for each combination. Copying
/// a map costs a fraction of filling one.
pub(crate) struct BaseHeaders {
    maps: [HeaderMap; 16],
    vary: Vary,
    security: bool,
}

impl BaseHeaders {
    pub(crate) fn new(options: &EdgeOptions, credentials: &[CredentialHeader]) -> Self {
        let vary = Vary::new(credentials, options.cors.is_some());
        let security = options.security_headers;
        let map = |at: usize| {
            let is = |bit: usize| at & bit != 0;
            let mut fields = base(security, is(IDENTIFIED), is(LIMITED));
            vary::set(&mut fields, vary.value(is(ROUTED), is(COMPRESSIBLE)));
            fields
        };
        Self {
            maps: std::array::from_fn(map),
            vary,
            security,
        }
    }
}

const LIMITED: usize = 1;
const IDENTIFIED: usize = 2;
const ROUTED: usize = 4;
const COMPRESSIBLE: usize = 8;

fn base(security: bool, identified: bool, limited: bool) -> HeaderMap {
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
    fields
}

/// Facts about a response that decide its headers.
pub(super) struct About<'a> {
    /// The matched route. Without one the content does not depend on the caller.
    pub(super) route: Option<&'a Entry>,
    pub(super) caller: Option<&'a Caller>,
    pub(super) request_id: &'a str,
    pub(super) secure: bool,
    pub(super) compressible: bool,
    pub(super) limited: bool,
}

/// Puts the fields that every answer carries around those that the route gave, which win, but for the id.
pub(super) fn apply(response: &mut Response, base: &BaseHeaders, about: &About<'_>) {
    let bit = |is: bool, bit: usize| if is { bit } else { 0 };
    let at = bit(about.limited, LIMITED)
        | bit(about.caller.is_some(), IDENTIFIED)
        | bit(about.route.is_some(), ROUTED)
        | bit(about.compressible, COMPRESSIBLE);
    let headers = response.headers_mut();
    let mut own = std::mem::replace(headers, base.maps[at].clone());
    let mut given = Given::default();
    // A field that comes more than once has its name at the first value only.
    let mut last = None;
    for (name, value) in own.drain() {
        match (name, &last) {
            (Some(name), _) => {
                given.note(&name, &value);
                headers.insert(&name, value);
                last = Some(name);
            }
            (None, Some(name)) => {
                given.note(name, &value);
                headers.append(name, value);
            }
            (None, None) => {}
        }
    }
    // Over a line that anybody can write on it would be anybody's word: browsers want it over TLS alone (RFC 6797 section 7.2).
    if base.security && about.secure && !headers.contains_key(header::STRICT_TRANSPORT_SECURITY) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if !given.kind {
        headers.remove(header::CONTENT_TYPE);
    }
    if given.tag {
        // With a tag a cache may keep it, if it revalidates before each use.
        if !given.cache {
            headers.insert(
                header::CACHE_CONTROL,
                HeaderValue::from_static("private, no-cache"),
            );
        }
        if let Some(caller) = about.caller
            && let Some(tag) = headers.get_mut(header::ETAG)
            && let Some(whole) = CallerPart::of(caller).append(tag)
        {
            *tag = whole;
        }
    }
    if given.vary || given.public {
        // The route declares the response the same for all: shared caches may keep one copy.
        let is_open = |entry: &Entry| entry.operation.allow.is_public();
        let shared = given.public && about.caller.is_none() && about.route.is_some_and(is_open);
        let value = base
            .vary
            .value(about.route.is_some() && !shared, about.compressible);
        if given.vary {
            vary::merge(headers, value);
        } else {
            vary::set(headers, value);
        }
    }
    // Last: the id is that of the log and the trace, whatever the route says.
    if let Ok(id) = HeaderValue::try_from(about.request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Which of the fields that the edge would set the route gave itself.
#[derive(Default)]
struct Given {
    kind: bool,
    tag: bool,
    cache: bool,
    public: bool,
    vary: bool,
}

impl Given {
    fn note(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.kind |= name == header::CONTENT_TYPE;
        self.tag |= name == header::ETAG;
        self.vary |= name == header::VARY;
        if name == header::CACHE_CONTROL {
            self.cache = true;
            self.public |= value
                .to_str()
                .is_ok_and(|value| directives(value).any(|one| one.eq_ignore_ascii_case("public")));
        }
    }
}

/// The directives of `Cache-Control`.
fn directives(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
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
