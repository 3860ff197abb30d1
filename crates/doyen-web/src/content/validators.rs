//! The conditions of a request for a file (RFC 9110 section 13). `If-None-Match` itself is a step
//! of the pipeline.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderName, Method, header};

use crate::etag::{Tag, without_caller};

fn field(head: &http::request::Parts, name: HeaderName) -> Option<&str> {
    head.headers.get(name)?.to_str().ok()
}

/// True if the tag is that of this content. The pipeline appends the caller to each tag.
fn is_tag(tag: Tag<'_>, own: &str) -> bool {
    tag.opaque == own || without_caller(tag.opaque) == Some(own)
}

/// True if `If-None-Match` has the tag, so that the response will be a 304.
pub(super) fn is_known(head: &http::request::Parts, own: &str) -> bool {
    let fields = head.headers.get_all(header::IF_NONE_MATCH).iter();
    let mut fields = fields.filter_map(|field| field.to_str().ok());
    fields.any(|field| field.trim() == "*" || Tag::list(field).any(|tag| is_tag(tag, own)))
}

/// True if the file has not changed since `If-Modified-Since`. The header does not count with
/// `If-None-Match` (section 13.1.3).
pub(super) fn is_unmodified(head: &http::request::Parts, modified: Option<SystemTime>) -> bool {
    let is_read = head.method == Method::GET || head.method == Method::HEAD;
    if !is_read || head.headers.contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    let since = field(head, header::IF_MODIFIED_SINCE);
    let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
    since
        .zip(modified)
        .is_some_and(|(since, modified)| seconds(modified) <= since)
}

/// True unless `If-Range` is about another version (section 13.1.5). A weak tag never fits.
pub(super) fn range_applies(
    head: &http::request::Parts,
    own: &str,
    modified: Option<SystemTime>,
) -> bool {
    let Some(condition) = head.headers.get(header::IF_RANGE) else {
        return true;
    };
    let condition = condition.to_str().unwrap_or_default().trim();
    if let Some(tag) = Tag::parse(condition) {
        return !tag.weak && is_tag(tag, own);
    }
    let since = httpdate::parse_http_date(condition).ok();
    since.is_some_and(|since| modified.map(seconds) == Some(since))
}

/// Returns the time as HTTP states it, without fractions.
fn seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
