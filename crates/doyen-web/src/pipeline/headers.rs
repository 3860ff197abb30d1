//! Headers of every response.

use doyen_core::{Caller, CredentialHeader};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::rate_limit;
use super::vary::{self, Vary};
use crate::etag::CallerPart;
use crate::options::EdgeOptions;
use crate::route_info::RouteInfo;
use crate::{Body, Response};

/// What browsers must not do with responses of an API. A route that serves a page sets its own
/// policy.
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

/// Returns the security headers as text, for a response that is sent without a request.
pub(crate) fn security_header_lines() -> String {
    let line = |(name, value): &(HeaderName, HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().unwrap_or_default())
    };
    SECURITY.iter().map(line).collect()
}

/// One year, the minimum for browsers' preload lists. Subdomains are the decision of their owners.
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
            let mut headers = base(security, is(IDENTIFIED), is(LIMITED));
            vary::set(&mut headers, vary.value(is(ROUTED), is(COMPRESSIBLE)));
            headers
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
    // Responses to authenticated callers must not enter shared caches (RFC 9111 section 3.5).
    let cache = if identified { "no-store" } else { "no-cache" };
    // Headers that are set for each response are here too: replacing them is cheaper than adding.
    let mut headers = HeaderMap::from_iter([
        (REQUEST_ID, HeaderValue::from_static("")),
        (header::CONTENT_TYPE, HeaderValue::from_static("")),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ]);
    if limited {
        headers.insert(rate_limit::POLICY, HeaderValue::from_static(""));
        headers.insert(rate_limit::STATE, HeaderValue::from_static(""));
    }
    if security {
        headers.extend(SECURITY);
    }
    headers
}

/// ResponseFacts about a response that decide its headers.
pub(super) struct ResponseFacts<'a> {
    /// The matched route. Without one the content does not depend on the caller.
    pub(super) route: Option<&'a RouteInfo>,
    pub(super) caller: Option<&'a Caller>,
    pub(super) request_id: &'a str,
    pub(super) is_secure: bool,
    pub(super) is_compressible: bool,
    pub(super) is_limited: bool,
    /// True for a response that a cache policy is about: 2xx or 304.
    pub(super) is_success: bool,
}

/// Adds the headers of every response. Those of the route take precedence, except for the request
/// id.
pub(super) fn apply(response: &mut Response, base: &BaseHeaders, facts: &ResponseFacts<'_>) {
    let bit = |is: bool, bit: usize| if is { bit } else { 0 };
    let at = bit(facts.is_limited, LIMITED)
        | bit(facts.caller.is_some(), IDENTIFIED)
        | bit(facts.route.is_some(), ROUTED)
        | bit(facts.is_compressible, COMPRESSIBLE);
    let headers = response.headers_mut();
    let mut own = std::mem::replace(headers, base.maps[at].clone());
    let mut given = Given::default();
    // A repeated header has its name at the first value only.
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
    // Only over TLS: without it an attacker could set the header (RFC 6797 section 7.2).
    if base.security && facts.is_secure && !headers.contains_key(header::STRICT_TRANSPORT_SECURITY)
    {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if !given.content_type {
        headers.remove(header::CONTENT_TYPE);
    }
    if let Some(rule) = facts.route.and_then(|route| route.cache.as_ref())
        && facts.is_success
    {
        if !given.cache {
            let control = rule.control(facts.caller.is_some());
            headers.insert(header::CACHE_CONTROL, control.clone());
            given.cache = true;
            given.public = rule.is_shared(facts.caller.is_some());
        }
        for name in &rule.vary {
            headers.append(header::VARY, HeaderValue::from(name.clone()));
        }
        given.vary |= !rule.vary.is_empty();
    }
    if given.tag {
        // With a tag a private cache may store it and revalidate before each use.
        if !given.cache {
            headers.insert(
                header::CACHE_CONTROL,
                HeaderValue::from_static("private, no-cache"),
            );
        }
        if let Some(caller) = facts.caller
            && let Some(tag) = headers.get_mut(header::ETAG)
            && let Some(whole) = CallerPart::of(caller).append(tag)
        {
            *tag = whole;
        }
    }
    if given.vary || given.public {
        // The route declares the response the same for all: shared caches may keep one copy.
        let is_open = |route: &RouteInfo| route.allow.is_public();
        let shared = given.public && facts.caller.is_none() && facts.route.is_some_and(is_open);
        let value = base
            .vary
            .value(facts.route.is_some() && !shared, facts.is_compressible);
        if given.vary {
            vary::merge(headers, value);
        } else {
            vary::set(headers, value);
        }
    }
    for (name, value) in facts.route.iter().flat_map(|route| &route.response_headers) {
        headers.insert(name, value.clone());
    }
    // Last: the id must be that of the log and the trace.
    if let Ok(id) = HeaderValue::try_from(facts.request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The headers that the route has set itself.
#[derive(Default)]
struct Given {
    content_type: bool,
    tag: bool,
    cache: bool,
    public: bool,
    vary: bool,
}

impl Given {
    fn note(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.content_type |= name == header::CONTENT_TYPE;
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

/// Returns the directives of `Cache-Control`.
fn directives(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

/// Removes the body of a response to HEAD and keeps its length.
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
