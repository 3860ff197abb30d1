//! How much a request may be.

use std::time::Duration;

use doyen_core::Refusal;
use doyen_core::problem::Plain;
use http::Uri;

use crate::problem::URI_TOO_LONG;
use crate::service::EdgeOptions;

/// The limits of this request's body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body: usize,
    pub(crate) body_time: Duration,
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
