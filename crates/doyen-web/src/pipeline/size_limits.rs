//! Limits of the request head, and rejections that the server decided.

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use doyen_http1::HeadError;
use http::Uri;

use crate::options::EdgeOptions;
use crate::problem::{
    HEADER_TIMEOUT, HEADERS_TOO_LARGE, MALFORMED_REQUEST, OVERLOADED, URI_TOO_LONG,
};
use crate::rejected_head::RejectedHead;

/// Rejects a request whose head is malformed, ambiguous, too large or too late.
pub(super) fn check_head(head: &http::request::Parts) -> Result<(), Refusal> {
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
        #[cfg(feature = "tls")]
        RejectedHead::NotTls => Plain::new(&MALFORMED_REQUEST)
            .detail("this port speaks TLS: use `https`")
            .into(),
        RejectedHead::Timeout => Plain::new(&HEADER_TIMEOUT).into(),
        RejectedHead::UnreadResponses => unread(),
    })
}

/// Rejects a request on a connection with too many unread responses. No rate limit counts it.
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

/// Rejects a path and query that are too long with 414.
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
