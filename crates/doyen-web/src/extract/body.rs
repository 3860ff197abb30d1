//! Reading a request body within its limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use doyen_core::problem::Plain;
use doyen_core::{Kind, ProblemInfo, Refusal};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError};

use crate::budget::{Account, Charge};
use crate::concurrency::PausedPermit;
use crate::problem::OVERLOADED;
use crate::request::Request;
use crate::timeout::with_timeout;

/// Memory that a request takes while its body arrives, in addition to the body: connection buffers,
/// headers and the state of the handler.
const WAITING_BYTES: usize = 16 << 10;

static TOO_LARGE: ProblemInfo = ProblemInfo {
    code: "body_too_large",
    kind: Kind::TooLarge,
    title: "Content Too Large",
    description: "The body exceeds the maximum size of this route. `detail` gives the limit in bytes. Send a smaller body.",
};

static TIMEOUT: ProblemInfo = ProblemInfo {
    code: "body_timeout",
    kind: Kind::RequestTimeout,
    title: "Request Timeout",
    description: "The body did not arrive in time. Send it faster, or split it into smaller requests.",
};

static BROKEN: ProblemInfo = ProblemInfo {
    code: "body_incomplete",
    kind: Kind::Malformed,
    title: "Incomplete Body",
    description: "The body ended early, or its framing does not match the request headers. Send the complete request again.",
};

static UNSUPPORTED: ProblemInfo = ProblemInfo {
    code: "unsupported_media_type",
    kind: Kind::UnsupportedMediaType,
    title: "Unsupported Media Type",
    description: "The media type or content coding of the body is not supported. `detail` says what to send.",
};

/// Returns the problem for a body that is too large.
pub(super) fn too_large() -> &'static ProblemInfo {
    &TOO_LARGE
}

/// Returns the problems that reading any body can cause.
pub(crate) fn problems() -> [&'static ProblemInfo; 4] {
    [&TOO_LARGE, &TIMEOUT, &BROKEN, &UNSUPPORTED]
}

/// Returns the problems that reading a body of any media type can cause.
pub(crate) fn reading_problems() -> [&'static ProblemInfo; 4] {
    [&TOO_LARGE, &TIMEOUT, &BROKEN, &OVERLOADED]
}

/// Returns the body as a stream that fails when it exceeds the size limit.
pub(super) fn bounded(request: &mut Request) -> Result<crate::Body, Refusal> {
    let (body, limit) = take(request)?;
    Ok(limited(body, limit, request.parts.account.as_ref()))
}

/// Returns the body with a limit. What is read of it is charged until it is dropped.
pub(crate) fn limited(
    body: crate::Body,
    limit: usize,
    account: Option<&Arc<Account>>,
) -> crate::Body {
    if body.as_whole().is_some() || body.is_empty() {
        return body;
    }
    let account = account.cloned();
    let body = body.map_frame(move |frame| {
        frame.map_data(|bytes| match &account {
            Some(account) => account.charge(bytes.len()).attach(bytes),
            None => bytes,
        })
    });
    crate::Body::stream(http_body_util::Limited::new(body, limit))
}

/// Returns the unread body and its size limit. Rejects a body whose announced length exceeds the
/// limit.
fn take(request: &mut Request) -> Result<(crate::Body, usize), Refusal> {
    let limit = request.parts.body_limits.max_bytes;
    let body = std::mem::take(&mut request.body);
    if http_body::Body::size_hint(&body).lower() > limit as u64 {
        return Err(over(limit).into());
    }
    Ok((body, limit))
}

fn over(limit: usize) -> Plain {
    Plain::new(&TOO_LARGE).detail(format!("the body can have at most {limit} bytes"))
}

/// Reads the whole body. Rejects a body whose announced length exceeds the limit before reading it.
pub(crate) async fn read(request: &mut Request) -> Result<Bytes, Refusal> {
    let (mut body, limit) = take(request)?;
    let account = request.parts.account.as_ref();
    let mut charge = account.map(|account| account.charge(WAITING_BYTES));
    let read = async {
        let mut whole = BytesMut::new();
        let mut first: Option<Bytes> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
                true => over(limit),
                false => Plain::new(&BROKEN),
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let before = whole.len() + first.as_ref().map_or(0, Bytes::len);
            let after = before + data.len();
            if after > limit {
                return Err(Refusal::from(over(limit)));
            }
            // The charge of a waiting request covers a small body.
            let more = after.saturating_sub(before.max(WAITING_BYTES / 2));
            if more > 0 && charge.as_mut().is_some_and(|charge| !charge.try_add(more)) {
                return Err(Plain::new(&OVERLOADED).into());
            }
            // A body in one frame, the usual case, is not copied.
            match (first.take(), whole.is_empty()) {
                (None, true) => first = Some(data),
                (Some(before), _) => {
                    whole.extend_from_slice(&before);
                    whole.extend_from_slice(&data);
                }
                (None, false) => whole.extend_from_slice(&data),
            }
        }
        Ok(first.unwrap_or_else(|| whole.freeze()))
    };
    // The request does not count as concurrent while the client sends.
    let done = {
        let _paused = request.parts.permit.pause();
        with_timeout(request.parts.body_limits.timeout, read).await
    };
    // The parsed values take about the same amount of memory.
    request.parts.charge = charge;
    match done {
        Ok(done) => done,
        Err(_) => Err(Plain::new(&TIMEOUT).into()),
    }
}

/// The body of a request as it arrives, for an extractor that does not hold it in memory. It has no
/// size limit of its own: the extractor counts. Each chunk must arrive within the body timeout of
/// the server, and the request does not count as concurrent until this is dropped.
pub struct BodyStream {
    body: crate::Body,
    announced: Option<u64>,
    timeout: Duration,
    _paused: PausedPermit,
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyStream").finish_non_exhaustive()
    }
}

impl BodyStream {
    /// Takes the body out of a request. It has no content coding.
    ///
    /// # Errors
    ///
    /// Returns a problem if the body is compressed.
    pub fn of(request: &mut Request) -> Result<Self, Refusal> {
        expect_no_coding(request)?;
        let body = std::mem::take(&mut request.body);
        let parts = &request.parts;
        Ok(Self {
            announced: http_body::Body::size_hint(&body).exact(),
            body: limited(body, usize::MAX, parts.account.as_ref()),
            timeout: parts.body_limits.timeout,
            _paused: parts.permit.pause(),
        })
    }

    /// Returns the problems of reading a body this way.
    pub fn problems() -> [&'static ProblemInfo; 4] {
        [&TIMEOUT, &BROKEN, &UNSUPPORTED, &OVERLOADED]
    }

    /// Returns the announced number of bytes, if the client has announced it.
    pub const fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Returns the next chunk, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Returns a problem if the body ends early, or if the client sends nothing for too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let Ok(frame) = with_timeout(self.timeout, self.body.frame()).await else {
                return Err(Plain::new(&TIMEOUT).into());
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Plain::new(&BROKEN))?;
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                return Ok(Some(data));
            }
        }
    }
}

/// Memory that an extractor holds for a request, as a part of `server.buffer_limit`.
#[derive(Debug)]
pub struct HeldMemory(Option<Charge>);

impl HeldMemory {
    /// Counts this many bytes.
    pub fn of(request: &Request, bytes: usize) -> Self {
        let account = request.parts.account.as_ref();
        Self(account.map(|account| account.charge(bytes)))
    }

    /// Counts more bytes.
    ///
    /// # Errors
    ///
    /// Returns a problem if the limit is reached and this client holds the most.
    pub fn add(&mut self, bytes: usize) -> Result<(), Refusal> {
        let fits = self.0.as_mut().is_none_or(|charge| charge.try_add(bytes));
        fits.then_some(())
            .ok_or_else(|| Plain::new(&OVERLOADED).into())
    }

    /// Counts the bytes until the handler is done.
    pub fn keep(self, request: &mut Request) {
        request.parts.charge = self.0;
    }
}

/// Returns the problem for a media type that a route does not accept.
pub fn unsupported_media_type(detail: impl Into<String>) -> Refusal {
    Plain::new(&UNSUPPORTED).detail(detail).into()
}

/// Rejects a body with a content coding.
fn expect_no_coding(request: &Request) -> Result<(), Refusal> {
    // Check every header line: a body with two codings may list them in two. Bodies are never
    // decompressed, so they cannot grow.
    let codings = request.parts.head.headers.get_all(CONTENT_ENCODING);
    let coded = codings
        .iter()
        .find(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let Some(coding) = coded else { return Ok(()) };
    let coding = coding.to_str().unwrap_or("?");
    let shown: String = coding.chars().take(32).collect();
    Err(unsupported_media_type(format!(
        "the content coding `{shown}` is not supported; send the body without one"
    )))
}

/// Rejects a body whose `Content-Type` is not one of these, or that has a content coding.
pub(super) fn expect(request: &Request, media_types: &[&str]) -> Result<(), Refusal> {
    expect_no_coding(request)?;
    if request
        .parts
        .route
        .strictness
        .accepts_missing_content_type()
        && !request.parts.head.headers.contains_key(CONTENT_TYPE)
    {
        return Ok(());
    }
    let given = request.parts.header("content-type").unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    let known = media_types
        .iter()
        .any(|known| known.eq_ignore_ascii_case(essence));
    let charset = given
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"));
    // `utf8` is a common spelling, which the Encoding Standard lists as a label of UTF-8.
    let utf8 = charset.is_none_or(|(_, value)| {
        let value = value.trim_matches('"');
        value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
    });
    if known && utf8 {
        return Ok(());
    }
    Err(Plain::new(&UNSUPPORTED)
        .detail(format!(
            "send the body as `{}` in UTF-8",
            media_types.join("` or `")
        ))
        .into())
}
