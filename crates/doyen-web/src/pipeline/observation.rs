//! Reports a request to the plugin that observes it.

use doyen_core::{Observation, ObservedLimit, ObservedResponse, within_request};
use http::{Method, header};

use super::Pipeline;
use super::state::RequestState;
use crate::Response;

/// Reports the response.
pub(super) fn end(
    pipeline: &Pipeline,
    observation: &dyn Observation,
    state: &RequestState,
    method: &Method,
    response: &Response,
) {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    let response = ObservedResponse {
        method: method.as_str(),
        route: state.route.as_deref().map(|route| route.path.as_str()),
        media_type: media_type.and_then(|value| value.to_str().ok()),
        bytes: http_body::Body::size_hint(response.body()).exact(),
        is_anonymous: state.caller.is_none(),
        limit: match (&pipeline.rate_limits, &state.rate_limit) {
            (None, _) => ObservedLimit::Absent,
            (Some(_), None) => ObservedLimit::Uncounted,
            (Some(_), Some(_)) => ObservedLimit::Counted,
        },
    };
    // Log lines about the request carry its ids.
    within_request(state.request_id, state.trace, || {
        observation.response(&response);
    });
}
