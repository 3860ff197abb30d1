//! What goes back to the client.

use by_hand::{Failure, Violations};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;

pub type Answer = Response<Full<Bytes>>;

pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(body).expect("rows have no keys but text");
    let mut answer = Response::new(Full::from(bytes));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

pub enum Problem {
    NotFound,
    /// Not JSON, or a number that is none.
    Malformed,
    /// JSON of another shape.
    Misshapen,
    Invalid(Violations),
    Failed(Failure),
}

impl Problem {
    pub fn answer(self) -> Answer {
        match self {
            Self::NotFound => empty(StatusCode::NOT_FOUND),
            Self::Malformed => empty(StatusCode::BAD_REQUEST),
            Self::Misshapen => empty(StatusCode::UNPROCESSABLE_ENTITY),
            Self::Invalid(violations) => json(StatusCode::UNPROCESSABLE_ENTITY, &violations),
            Self::Failed(failure) => {
                eprintln!("{failure}");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer
}

impl From<Violations> for Problem {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
