//! The dependencies of several routers.

use doyen::prelude::*;

pub(super) struct QueryToken;
pub(super) struct HeaderToken;

/// A token is wrong.
#[derive(Debug, Problem)]
pub(super) enum Denied {
    /// The query has another token.
    #[problem(
        malformed,
        code = "wrong_query_token",
        detail = "No Jessica token provided"
    )]
    Query,
    /// The header has another token.
    #[problem(malformed, code = "wrong_token", detail = "X-Token header invalid")]
    Header,
}

#[extractor]
async fn query_token(#[query] token: String) -> Result<QueryToken, Denied> {
    (token == "jessica")
        .then_some(QueryToken)
        .ok_or(Denied::Query)
}

#[extractor]
async fn header_token(#[header] x_token: String) -> Result<HeaderToken, Denied> {
    (x_token == "fake-super-secret-token")
        .then_some(HeaderToken)
        .ok_or(Denied::Header)
}
