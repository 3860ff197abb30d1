//! Idempotent requests: one effect and one response for all requests with the same key.
//!
//! The step runs after `authorize`, so that a caller who lost a permission gets no stored response.
//! It reads the body, because a key belongs to one body. An upload is not held in memory: it is
//! hashed while the handler reads it, and a retry is hashed before it gets the response. The
//! response joins the transaction of the
//! effect just before the commit: both exist, or neither.

use bytes::Bytes;
use doyen_core::idempotency::{
    Attempt, BodyDigest, Claim, Content, Idempotency, KEY_INVALID, KEY_REQUIRED, KeyedRequest,
    MAX_KEY_BYTES, REUSED, StoredResponse,
};
use doyen_core::inject::Context;
use doyen_core::limit::Network;
use doyen_core::problem::Plain;
use doyen_core::{Idempotent, Refusal, Unexpected};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::Pipeline;
use super::hashed_body::Hashed;
use crate::extract::BodyStream;
use crate::request::Request;
use crate::{Body, Response};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What to do with a request.
pub(super) enum Begun<'a> {
    /// It has no key.
    Unkeyed,
    /// Handle it, and store its response.
    First(Keyed<'a>),
    /// Send this response.
    Replay(Response),
}

/// A claimed key. Dropping it without a commit releases the key.
pub(super) struct Keyed<'a> {
    store: &'a dyn Idempotency,
    attempt: Box<dyn Attempt>,
    /// The hash of a body that the handler reads while it arrives.
    hashed: Option<Hashed>,
}

/// Claims the key of a request.
pub(super) async fn begin<'a>(
    pipeline: &'a Pipeline,
    mode: Idempotent,
    request: &mut Request,
) -> Result<Begun<'a>, Refusal> {
    let Some(store) = pipeline.idempotency.as_deref() else {
        return Ok(Begun::Unkeyed);
    };
    let Some(key) = key(&request.parts.head.headers)? else {
        return match mode {
            Idempotent::Required => Err(Plain::new(&KEY_REQUIRED).into()),
            Idempotent::Optional | Idempotent::IfSupported => Ok(Begun::Unkeyed),
        };
    };
    let is_streamed = request.parts.route.streams_body;
    let body = match is_streamed {
        true => Bytes::new(),
        false => crate::extract::read_body(request).await?,
    };
    let parts = &request.parts;
    let uri = &parts.head.uri;
    let keyed = KeyedRequest {
        caller: parts.context.caller().map(|caller| &**caller),
        network: Network::of(parts.client),
        key: &key,
        method: parts.head.method.as_str(),
        target: uri
            .path_and_query()
            .map_or(uri.path(), |target| target.as_str()),
        // The boundary of a form is another one in each attempt.
        content_type: match (is_streamed, parts.header("content-type").unwrap_or("")) {
            (true, given) => given.split(';').next().unwrap_or(""),
            (false, given) => given,
        },
        body: &body,
    };
    let claim = store.claim(keyed).await?;
    if !is_streamed {
        request.body = Body::whole(body);
    }
    let digest = || store.digest(request.parts.header("content-type").unwrap_or(""));
    Ok(match claim {
        Claim::First(attempt) => {
            let hashed = is_streamed.then(|| Hashed::new(digest()));
            if let Some(hashed) = &hashed {
                request.body = hashed.of(std::mem::take(&mut request.body));
            }
            Begun::First(Keyed {
                store,
                attempt,
                hashed,
            })
        }
        Claim::Replay(stored) => {
            if let Some(first) = stored.content {
                let digest = digest();
                expect(first, request, digest).await?;
            }
            Begun::Replay(replay(stored)?)
        }
    })
}

/// Reads the body of a retry. Refuses it unless it is that of the first request.
async fn expect(
    first: Content,
    request: &mut Request,
    mut digest: Box<dyn BodyDigest>,
) -> Result<(), Refusal> {
    let mut body = BodyStream::of(request)?;
    // A longer body is another one, whatever its end is.
    while !digest.is_closed() && digest.length() <= first.length {
        match body.next().await? {
            Some(bytes) => digest.update(&bytes),
            None => break,
        }
    }
    match digest.finish() == first {
        true => Ok(()),
        false => Err(Plain::new(&REUSED).into()),
    }
}

impl Keyed<'_> {
    /// Stores the response in the transaction. Resolves to false if another request has succeeded
    /// with the key.
    pub(super) fn record<'a>(
        &'a mut self,
        context: &'a Context,
        response: &Response,
    ) -> impl Future<Output = Result<bool, Refusal>> + Send + 'a {
        // Not in the future: a reference to a body cannot be sent to another thread.
        let mut stored = stored(response, self.store.max_response_bytes());
        stored.content = self.content();
        self.attempt.record(context, stored)
    }

    /// Returns the response of a request with the same key that has succeeded meanwhile, on another
    /// node. This one may have failed only because of its effect.
    pub(super) async fn superseded(&mut self) -> Result<Option<Response>, Refusal> {
        let Some(stored) = self.attempt.superseded().await? else {
            return Ok(None);
        };
        match (stored.content, self.content()) {
            // This body did not arrive, so it failed for another reason.
            (Some(_), None) => Ok(None),
            (Some(first), Some(own)) if first != own => Err(Plain::new(&REUSED).into()),
            _ => replay(stored).map(Some),
        }
    }

    /// Returns the hash of a streamed body that has arrived.
    fn content(&self) -> Option<Content> {
        self.hashed.as_ref().and_then(Hashed::content)
    }

    /// Releases the key, so that the client can use it as soon as it has the error.
    pub(super) async fn release(mut self) {
        self.attempt.release().await;
    }

    /// Keeps the key: the transaction was committed.
    pub(super) fn committed(mut self) {
        self.attempt.committed();
    }
}

/// Returns the key of a request.
fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let is_visible = value.as_bytes().iter().all(|byte| byte.is_ascii_graphic());
    let is_valid = is_visible && (1..=MAX_KEY_BYTES).contains(&value.len());
    match value.to_str() {
        Ok(key) if is_valid && values.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(Plain::new(&KEY_INVALID).into()),
    }
}

/// Returns the stored form of a response. A streamed or too large body is left out.
fn stored(response: &Response, max_bytes: usize) -> StoredResponse {
    let headers = response.headers().iter();
    let body = match response.body() {
        body if body.is_empty() => Some(Bytes::new()),
        body => body
            .as_whole()
            .filter(|body| body.len() <= max_bytes)
            .cloned(),
    };
    StoredResponse {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body,
        content: None,
    }
}

/// Returns the response of the first request.
fn replay(stored: StoredResponse) -> Result<Response, Refusal> {
    let Some(body) = stored.body else {
        return Err(not_replayable(&stored));
    };
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() = StatusCode::from_u16(stored.status).map_err(Unexpected::from)?;
    let headers = response.headers_mut();
    for (name, value) in stored.headers {
        let name = HeaderName::try_from(name).map_err(Unexpected::from)?;
        let value = HeaderValue::try_from(value).map_err(Unexpected::from)?;
        headers.append(name, value);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn not_replayable(stored: &StoredResponse) -> Refusal {
    let problem = Plain::new(&doyen_core::idempotency::NOT_REPLAYABLE);
    let location = stored
        .headers
        .iter()
        .find(|(name, _)| name == header::LOCATION.as_str());
    match location.and_then(|(_, value)| std::str::from_utf8(value).ok()) {
        Some(location) => problem.detail(format!(
            "The first request succeeded with the status {} and is not repeated. Its response is not stored; read `{location}` instead.",
            stored.status
        )),
        None => problem,
    }
    .into()
}
