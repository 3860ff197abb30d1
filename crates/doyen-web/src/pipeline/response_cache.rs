//! Responses that the server keeps: answered without the handler.
//!
//! A response is found by path, query, the headers that it depends on, and whose it is: that of a
//! public route by everyone, that of a private route by its caller with these rights. The caller is
//! identified and authorized before, and guards and layers run, so a stored response never replaces
//! a check. Only the extractors of the handler do not run.

use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use doyen_core::cache::{CacheEntry, CacheTag, Lookup};
use doyen_core::inject::BoxFuture;
use doyen_core::{Caller, Refusal};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::cache_rule::{RouteCache, StoredResponses};
use crate::handler::Endpoint;
use crate::request::{Parts, Request};
use crate::{Body, Response, etag};

/// Headers that select a representation on every route, where the application supports them.
const ALWAYS: [HeaderName; 2] = [
    HeaderName::from_static("api-version"),
    HeaderName::from_static("prefer"),
];

/// Puts the stored responses before a handler.
pub(crate) fn stored(endpoint: Arc<dyn Endpoint>) -> Arc<dyn Endpoint> {
    Arc::new(Stored(endpoint))
}

struct Stored(Arc<dyn Endpoint>);

impl Endpoint for Stored {
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        Box::pin(call(&*self.0, request))
    }
}

/// Calls the handler, unless there is a stored response.
async fn call(endpoint: &dyn Endpoint, request: &mut Request) -> Result<Response, Refusal> {
    // The handler reports what a guard or the check of the query found.
    if !request.failures.is_empty() {
        return endpoint.call(request).await;
    }
    let route = Arc::clone(&request.parts.route);
    let entry = route.cache.as_ref().and_then(|rule| {
        let stored = rule.stored.as_ref()?;
        entry(rule, stored, &request.parts)
    });
    let Some(entry) = entry else {
        return endpoint.call(request).await;
    };
    let (lease, old) = match entry.lookup().await {
        Lookup::Hit(Some(bytes)) => match decode(bytes) {
            Some(response) => return Ok(response),
            None => return endpoint.call(request).await,
        },
        Lookup::Hit(None) => return endpoint.call(request).await,
        Lookup::Miss(lease) | Lookup::Bypass(lease) => (lease, None),
        Lookup::Stale(old, lease) => (lease, old.and_then(decode)),
    };
    // The whole response is needed even if this client has it.
    request.parts.is_conditional = false;
    let response = endpoint.call(request).await;
    let is_fault = match &response {
        Ok(response) => response.status().is_server_error(),
        Err(refusal) => refusal.info().kind.status() >= 500,
    };
    match (response, old) {
        (_, Some(old)) if is_fault => {
            lease.fail();
            Ok(old)
        }
        (Ok(mut response), _) => {
            add_tag(&mut response);
            match encode(&response) {
                Some(bytes) => lease.complete(Some(bytes)).await,
                None => lease.fail(),
            }
            Ok(response)
        }
        (Err(refusal), _) => {
            lease.fail();
            Err(refusal)
        }
    }
}

/// Returns the entry of a request. A public route does not store what authenticated callers get,
/// unless it says that it is the same.
fn entry(rule: &RouteCache, stored: &StoredResponses, parts: &Parts) -> Option<CacheEntry> {
    let caller = parts.context.caller();
    if parts.head.method != http::Method::GET && parts.head.method != http::Method::HEAD {
        return None;
    }
    let is_shared = rule.is_shared(caller.is_some());
    if rule.is_public() && !is_shared {
        return None;
    }
    let id = id(rule, parts);
    let (cache, policy) = (&stored.cache, &stored.policy);
    let mut entry = match caller {
        _ if is_shared => cache.shared().entry(policy, id),
        Some(caller) => cache.of::<Caller>(caller).entry(policy, id),
        None => cache.of::<Option<Caller>>(&None).entry(policy, id),
    };
    for tag in &stored.tags {
        entry = entry.tag(self::tag(tag, parts));
    }
    Some(entry)
}

/// Path, query and headers. Lengths precede the values of headers, so that they stay apart.
fn id(rule: &RouteCache, parts: &Parts) -> String {
    use std::fmt::Write as _;
    let mut id = String::with_capacity(64);
    for name in ALWAYS.iter().chain(&rule.vary) {
        for value in parts.head.headers.get_all(name) {
            let bytes = value.as_bytes();
            let _ = write!(id, "{name}:{}:{};", bytes.len(), bytes.escape_ascii());
        }
    }
    id.push_str(parts.head.uri.path());
    if let Some(query) = parts.head.uri.query().filter(|query| !query.is_empty()) {
        id.push('?');
        id.push_str(query);
    }
    id
}

/// Returns a tag with the values of its path parameters.
fn tag(template: &str, parts: &Parts) -> CacheTag {
    if !template.contains('{') {
        return CacheTag::from(template);
    }
    let mut text = template.to_owned();
    for (name, value) in &parts.path_values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    CacheTag::from(text.as_str())
}

/// Adds a weak tag of the content to a response without a tag: 304 then needs no handler.
fn add_tag(response: &mut Response) {
    if response.status() != StatusCode::OK || response.headers().contains_key(header::ETAG) {
        return;
    }
    if let Some(bytes) = response.body().as_whole()
        && let Some(tag) = etag::weak(etag::content_hash(bytes))
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
}

/// Returns the response as bytes, or `None` if it must not be kept.
fn encode(response: &Response) -> Option<Bytes> {
    let headers = response.headers();
    let says = |name: HeaderName, word: &str| {
        let fields = headers.get_all(name).into_iter();
        let mut words = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','));
        words.any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    if response.status() != StatusCode::OK
        || response.body().is_streamed()
        || headers.contains_key(header::SET_COOKIE)
        || says(header::CACHE_CONTROL, "no-store")
        || says(header::VARY, "*")
    {
        return None;
    }
    let body = response.body().as_whole().map_or(&[][..], |body| &body[..]);
    let mut out = BytesMut::with_capacity(body.len() + 256);
    out.put_u16(u16::try_from(headers.len()).ok()?);
    for (name, value) in headers {
        out.put_u16(u16::try_from(name.as_str().len()).ok()?);
        out.put_slice(name.as_str().as_bytes());
        out.put_u16(u16::try_from(value.len()).ok()?);
        out.put_slice(value.as_bytes());
    }
    out.put_slice(body);
    Some(out.freeze())
}

/// Returns the response, or `None` if the bytes are none.
fn decode(mut bytes: Bytes) -> Option<Response> {
    let mut response = Response::new(Body::empty());
    let text = |bytes: &mut Bytes| {
        let length = usize::from(bytes.try_get_u16().ok()?);
        (bytes.len() >= length).then(|| bytes.split_to(length))
    };
    for _ in 0..bytes.try_get_u16().ok()? {
        let name = HeaderName::from_bytes(&text(&mut bytes)?).ok()?;
        let value = HeaderValue::from_maybe_shared(text(&mut bytes)?).ok()?;
        response.headers_mut().append(name, value);
    }
    *response.body_mut() = Body::whole(bytes);
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_survives() {
        let mut response = Response::new(Body::whole("abc"));
        for (name, value) in [("etag", "\"1\""), ("vary", "a"), ("vary", "b"), ("x", "")] {
            let value = HeaderValue::from_static(value);
            response.headers_mut().append(name, value);
        }
        let bytes = encode(&response).unwrap();
        let read = decode(bytes.clone()).unwrap();
        assert_eq!(read.headers(), response.headers());
        assert_eq!(read.body().as_whole(), response.body().as_whole());
        for cut in 0..bytes.len() - 3 {
            assert!(decode(bytes.slice(..cut)).is_none(), "{cut}");
        }
    }

    #[test]
    fn some_responses_are_not_kept() {
        let with = |name: &'static str, value: &'static str| {
            let response = http::Response::builder().header(name, value);
            encode(&response.body(Body::whole("abc")).unwrap())
        };
        assert!(with("cache-control", "private, max-age=1").is_some());
        assert!(with("cache-control", "private, No-Store").is_none());
        assert!(with("set-cookie", "a=b").is_none());
        assert!(with("vary", "accept, *").is_none());
        let mut created = Response::new(Body::whole("abc"));
        *created.status_mut() = StatusCode::CREATED;
        assert!(encode(&created).is_none());
    }
}
