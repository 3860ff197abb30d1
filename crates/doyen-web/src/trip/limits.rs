//! How much a request may be.

use std::time::Duration;

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use doyen_http1::HeadError;
use http::Uri;

use crate::problem::{
    HEADER_TIMEOUT, HEADERS_TOO_LARGE, MALFORMED_REQUEST, OVERLOADED, URI_TOO_LONG,
};
use crate::rejected_head::RejectedHead;
use crate::service::EdgeOptions;

/// The limits of this request's body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body: usize,
    pub(crate) body_time: Duration,
}

/// What the server refused before the request came here: two servers could read it in two ways, it is too long, or too late.
pub(super) fn check_header(head: &http::request::Parts) -> Result<(), Refusal> {
    let Some(rejected) = head.extensions.get::<RejectedHead>() else {
        return Ok(());
    };
    Err(match *rejected {
        RejectedHead::Invalid(HeadError::Malformed(why)) => {
            Plain::new(&MALFORMED_REQUEST).detail(why).into()
        }
        RejectedHead::Invalid(HeadError::UriTooLong) => Plain::new(&URI_TOO_LONG).into(),
        RejectedHead::Invalid(HeadError::HeadersTooLarge(why)) => {
            Plain::new(&HEADERS_TOO_LARGE).detail(why).into()
        }
        RejectedHead::Timeout => Plain::new(&HEADER_TIMEOUT).into(),
        RejectedHead::UnreadResponses => unread(),
    })
}

/// What the server refused because the responses before it are not read. No limit counts it.
pub(super) fn check_unread(head: &http::request::Parts) -> Result<(), Refusal> {
    match head.extensions.get::<RejectedHead>() {
        Some(RejectedHead::UnreadResponses) => Err(unread()),
        _ => Ok(()),
    }
}

fn unread() -> Refusal {
    Plain::new(&OVERLOADED)
        .detail("Too many responses on this connection are unread. Read them, then try again.")
        .into()
}

/// 414 for a path and query that are too long.
pub(super) fn check_uri(uri: &Uri, options: &EdgeOptions) -> Result<(), Refusal> {
    let length = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length <= options.uri_limit {
        return Ok(());
    }
    Err(Plain::new(&URI_TOO_LONG)
        .detail(format!(
            "the path and query can have at most {} bytes",
            options.uri_limit
        ))
        .into())
}
