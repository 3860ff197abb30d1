//! Conditional requests with a safe method (RFC 9110 section 13).
//!
//! The order is that of section 13.2.2: `If-Match`, else `If-Unmodified-Since`, which lead to a
//! 412; then `If-None-Match`, else `If-Modified-Since`, which lead to a 304. They apply to a 200
//! only, so that a 401, 403 or 404 takes precedence. An unsafe method evaluates `If-Match` in its
//! handler, in the transaction of the change.

use std::time::SystemTime;

use doyen_core::Caller;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::coding::{self, Accepted};
use crate::etag::{CallerPart, Tag, split_coding};
use crate::request::Parts;
use crate::{Body, Response};

/// The conditions of a request.
pub(crate) struct Conditions(HeaderMap);

/// The header fields that state conditions.
const FIELDS: [HeaderName; 4] = [
    header::IF_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
];

/// What the conditions say about a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send it.
    Send,
    /// The client has it: 304, with this tag.
    NotModified(Option<HeaderValue>),
    /// 412.
    Failed,
}

impl Conditions {
    /// Returns the conditions, if there are any. One pass over the names: most requests have none.
    pub(crate) fn of(head: &http::request::Parts) -> Option<Self> {
        let is_safe = head.method == Method::GET || head.method == Method::HEAD;
        let is_condition = |name: &HeaderName| name.as_str().starts_with("if-");
        if !is_safe || !head.headers.keys().any(is_condition) {
            return None;
        }
        let mut fields = HeaderMap::new();
        for name in FIELDS {
            for value in head.headers.get_all(&name) {
                fields.append(&name, value.clone());
            }
        }
        Some(Self(fields))
    }

    /// Evaluates the conditions on a response that still has the route's own tag.
    pub(crate) fn evaluate(
        &self,
        caller: Option<&Caller>,
        accepted: Accepted,
        response: &Response,
    ) -> Verdict {
        if response.status() != StatusCode::OK {
            return Verdict::Send;
        }
        let headers = response.headers();
        let own = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let own = own.and_then(Tag::parse);
        let modified = date(headers, &header::LAST_MODIFIED);
        let tags = OwnTag::new(own, caller, accepted);
        if self.0.contains_key(header::IF_MATCH) {
            let is_match =
                |tag: Tag<'_>| !tag.weak && tags.is_strong() && tags.coding(tag).is_some();
            if !self.any(&header::IF_MATCH, is_match) {
                return Verdict::Failed;
            }
        } else if let Some(since) = date(&self.0, &header::IF_UNMODIFIED_SINCE)
            && modified.is_some_and(|modified| modified > since)
        {
            return Verdict::Failed;
        }
        if self.0.contains_key(header::IF_NONE_MATCH) {
            // Weak comparison ignores the weakness indicator (section 8.8.3.2).
            let mut sent = None;
            let known = self.any(&header::IF_NONE_MATCH, |tag| {
                sent = sent.take().or_else(|| tags.coding(tag));
                sent.is_some()
            });
            if known {
                return Verdict::NotModified(sent.and_then(|coding| tags.with(coding)));
            }
        } else if let Some(since) = date(&self.0, &header::IF_MODIFIED_SINCE)
            && modified.is_some_and(|modified| modified <= since)
        {
            return Verdict::NotModified(None);
        }
        Verdict::Send
    }

    /// True if a field is `*` or has such a tag.
    fn any(&self, name: &HeaderName, mut is: impl FnMut(Tag<'_>) -> bool) -> bool {
        let mut fields = self.0.get_all(name).iter();
        fields.any(|field| {
            let Ok(field) = field.to_str() else {
                return false;
            };
            field.trim() == "*" || Tag::list(field).any(&mut is)
        })
    }
}

/// The tag of a response, and how the tags of its encoded forms look for this caller.
struct OwnTag<'a> {
    own: Option<Tag<'a>>,
    part: Option<CallerPart>,
    accepted: Accepted,
}

impl<'a> OwnTag<'a> {
    fn new(own: Option<Tag<'a>>, caller: Option<&Caller>, accepted: Accepted) -> Self {
        Self {
            own,
            part: caller.map(CallerPart::of),
            accepted,
        }
    }

    fn is_strong(&self) -> bool {
        self.own.is_some_and(|own| !own.weak)
    }

    /// Returns the coding in a tag of the client if the tag is of this response, else `None`.
    fn coding(&self, tag: Tag<'_>) -> Option<&'static str> {
        let own = self.own?;
        let part = self.part.as_ref().map_or("", CallerPart::as_str);
        let opaque = tag.opaque.strip_suffix(part)?;
        if opaque == own.opaque {
            return Some("");
        }
        // Only if the client still accepts what it has.
        let (bare, coding) = split_coding(opaque)?;
        (bare == own.opaque && !own.weak && self.accepted.allows(coding)).then_some(coding)
    }

    /// Returns the tag of the response in this coding, without the caller.
    fn with(&self, coding: &str) -> Option<HeaderValue> {
        if coding.is_empty() {
            return None;
        }
        let text = format!("\"{}-{coding}\"", self.own?.opaque);
        HeaderValue::try_from(text).ok()
    }
}

/// Returns the 304 for a client that has the response with this tag, so that the body need not be
/// created.
pub(crate) fn already_sent(parts: &Parts, tag: &HeaderValue) -> Option<Response> {
    // The tag of an older version is another one.
    if !parts.is_conditional || parts.version.is_some() {
        return None;
    }
    let conditions = Conditions::of(&parts.head)?;
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(header::ETAG, tag.clone());
    let caller = parts.context.caller().map(|caller| &**caller);
    let accepted = coding::accepted(&parts.head);
    match conditions.evaluate(caller, accepted, &response) {
        Verdict::NotModified(tag) => {
            not_modified(&mut response, tag);
            Some(response)
        }
        Verdict::Send | Verdict::Failed => None,
    }
}

/// True for a 304 whose tag is, or may be, that of a compressed response. It needs the same `Vary`.
pub(crate) fn is_of_encoded(response: &Response) -> bool {
    response.status() == StatusCode::NOT_MODIFIED
        && response
            .headers()
            .get(header::ETAG)
            .and_then(|tag| Tag::parse(tag.to_str().ok()?))
            .is_some_and(|tag| tag.weak || split_coding(tag.opaque).is_some())
}

/// Turns a response into a 304 without a body.
pub(crate) fn not_modified(response: &mut Response, tag: Option<HeaderValue>) {
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.body_mut() = Body::empty();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::CONTENT_LENGTH);
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
}

/// Returns a date. An invalid one, or several, count as none (sections 13.1.3 and 13.1.4).
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut fields = headers.get_all(name).iter();
    let date = httpdate::parse_http_date(fields.next()?.to_str().ok()?).ok()?;
    fields.next().is_none().then_some(date)
}
