//! How much a request may be.

use std::time::Duration;

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use http::{HeaderValue, Uri, header};

use super::Stop;
use crate::problem::{MALFORMED_REQUEST, URI_TOO_LONG};
use crate::server::Malformed;
use crate::service::EdgeOptions;

/// The limits of this request's body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body: usize,
    pub(crate) body_time: Duration,
}

/// 400, and the end of the connection, for a header that the server found to be ambiguous.
pub(super) fn check_header(head: &http::request::Parts) -> Result<(), Stop> {
    let Some(Malformed(why)) = head.extensions.get::<Malformed>() else {
        return Ok(());
    };
    Err(Stop {
        refusal: Plain::new(&MALFORMED_REQUEST).detail(*why).into(),
        header: Some((header::CONNECTION, HeaderValue::from_static("close"))),
    })
}

/// 414 for a path and query that are too long.
pub(super) fn check_uri(uri: &Uri, options: &EdgeOptions) -> Result<(), Refusal> {
    let length = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length <= options.uri_limit {
        return Ok(());
    }
    Err(Plain::new(&URI_TOO_LONG)
        .detail(format!("at most {} bytes", options.uri_limit))
        .into())
}
