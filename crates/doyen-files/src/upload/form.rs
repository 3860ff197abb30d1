//! Multipart forms (RFC 7578) as they arrive.
//!
//! The parser is that of `multer`, which buffers whatever its source has. The source therefore
//! returns one chunk for each poll, and counts what is read between the contents of two parts:
//! preamble and headers.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use doyen_core::Refusal;
use doyen_core::problem::Plain;
use doyen_web::extract::{BodyStream, HeldMemory, unsupported_media_type};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use multer::{Field, Multipart};

use super::refuse_announced;
use crate::core::FilesCore;
use crate::intake::{Intake, Received};
use crate::name::{self, Disposition};
use crate::policy::Rules;
use crate::problems::{TOO_MANY_FILES, malformed};

/// Maximum bytes of the names and values of all text fields.
const MAX_TEXT_BYTES: usize = 128 << 10;

/// Maximum bytes before the content of a part: the headers of the part, before the first one also
/// the preamble. The last chunk can have content as well.
const MAX_HEAD_BYTES: usize = (8 << 10) + MAX_CHUNK_BYTES;

/// Maximum number of text fields.
const MAX_FIELDS: usize = 100;

/// Maximum length of a boundary (RFC 2046 section 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// A form that has arrived.
pub(super) struct Form {
    pub(super) files: Vec<Received>,
    pub(super) fields: Vec<(String, String)>,
}

/// Returns the boundary of a `Content-Type`.
pub(super) fn boundary(content_type: Option<&str>) -> Result<String, Refusal> {
    let given = content_type.unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("multipart/form-data") {
        return Err(unsupported_media_type(
            "send the body as `multipart/form-data`",
        ));
    }
    let boundary = name::parameter(given, "boundary").flatten();
    let boundary = boundary.map(|value| value.trim_matches('"'));
    let is_plain = |byte| u8::is_ascii_alphanumeric(&byte) || b"'()+_,-./:=? ".contains(&byte);
    match boundary {
        Some(boundary)
            if (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len())
                && boundary.bytes().all(is_plain)
                && !boundary.ends_with(' ') =>
        {
            Ok(boundary.to_owned())
        }
        _ => Err(malformed(
            "the `Content-Type` needs one boundary of 1 to 70 plain characters",
        )),
    }
}

/// Receives a form.
pub(super) async fn receive(
    core: &Arc<FilesCore>,
    rules: Rules,
    body: BodyStream,
    boundary: String,
    memory: &mut HeldMemory,
) -> Result<Form, Refusal> {
    let limit = rules.max_bytes.min(core.max_bytes);
    let overhead = MAX_TEXT_BYTES + MAX_HEAD_BYTES * (MAX_FIELDS + rules.max_files);
    let all = limit.saturating_mul(rules.max_files as u64);
    refuse_announced(body.announced(), all, overhead as u64)?;
    let allowance = Arc::new(AtomicUsize::new(MAX_HEAD_BYTES));
    let mut form = Multipart::new(source(body, Arc::clone(&allowance)), boundary);
    let mut received = Form {
        files: Vec::new(),
        fields: Vec::new(),
    };
    let (mut parts, mut text_bytes) = (0, 0);
    while let Some(field) = form.next_field().await.map_err(refusal)? {
        parts += 1;
        if parts > MAX_FIELDS + rules.max_files {
            return Err(too_many(format!(
                "a form can have at most {MAX_FIELDS} fields"
            )));
        }
        let Disposition { name, file_name } = disposition(&field)?;
        // The reader of the part counts until it ends.
        allowance.store(IN_A_PART, Ordering::Relaxed);
        if name == rules.part || file_name.is_some() {
            let file_name = file_name.unwrap_or_default();
            receive_file(core, rules, field, (&name, file_name), &mut received).await?;
        } else {
            let value = text(field, name.len(), &mut text_bytes, memory).await?;
            received.fields.push((name, value));
        }
        allowance.store(MAX_HEAD_BYTES, Ordering::Relaxed);
    }
    // What follows the last boundary has no meaning, and is bounded too.
    drop(form);
    Ok(received)
}

/// Receives one file. A browser sends an input without a selected file as an empty one without a
/// name.
async fn receive_file(
    core: &Arc<FilesCore>,
    rules: Rules,
    mut field: Field<'_>,
    (part, given_name): (&str, String),
    received: &mut Form,
) -> Result<(), Refusal> {
    let media_type = field.headers().get(CONTENT_TYPE).cloned();
    let media_type = media_type.as_ref().and_then(|given| given.to_str().ok());
    let mut chunk = next_chunk(&mut field).await?;
    if chunk.is_none() && given_name.is_empty() {
        return Ok(());
    }
    if part != rules.part {
        let shown: String = part.chars().take(64).collect();
        let expected = rules.part;
        return Err(malformed(format!(
            "the part `{shown}` is a file; send files as `{expected}`"
        )));
    }
    if received.files.len() == rules.max_files {
        let max = rules.max_files;
        return Err(too_many(format!("a form can have at most {max} files")));
    }
    let mut intake = Intake::begin(core, rules, given_name, media_type).await?;
    while let Some(bytes) = chunk {
        intake.write(bytes).await?;
        chunk = next_chunk(&mut field).await?;
    }
    received.files.push(intake.finish().await?);
    Ok(())
}

/// Returns the next chunk that has bytes.
async fn next_chunk(field: &mut Field<'_>) -> Result<Option<Bytes>, Refusal> {
    loop {
        match field.chunk().await.map_err(refusal)? {
            Some(chunk) if chunk.is_empty() => {}
            chunk => return Ok(chunk),
        }
    }
}

fn too_many(detail: String) -> Refusal {
    Plain::new(&TOO_MANY_FILES).detail(detail).into()
}

/// Reads the name and the file name of a part. The parser of `multer` finds a `name` inside of a
/// quoted file name too.
fn disposition(field: &Field<'_>) -> Result<Disposition, Refusal> {
    let given = field.headers().get(CONTENT_DISPOSITION);
    let given = given.map(http::HeaderValue::as_bytes).unwrap_or_default();
    let given = String::from_utf8_lossy(given);
    let kind = given.split(';').next().unwrap_or_default().trim();
    let parsed = Disposition::parse(&given).filter(|parsed| !parsed.name.is_empty());
    match parsed {
        Some(parsed) if kind.eq_ignore_ascii_case("form-data") => Ok(parsed),
        _ => Err(malformed(
            "the `Content-Disposition` of a part must be `form-data` with one `name`",
        )),
    }
}

/// Reads a text field.
async fn text(
    mut field: Field<'_>,
    name_bytes: usize,
    all_bytes: &mut usize,
    memory: &mut HeldMemory,
) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    let mut more = name_bytes;
    loop {
        *all_bytes += more;
        if *all_bytes > MAX_TEXT_BYTES {
            return Err(malformed(format!(
                "the fields have more than {MAX_TEXT_BYTES} bytes"
            )));
        }
        memory.add(more)?;
        let Some(chunk) = field.chunk().await.map_err(refusal)? else {
            break;
        };
        more = chunk.len();
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| malformed("a field is not UTF-8"))
}

/// The body as the source of the parser, in small chunks.
fn source(
    body: BodyStream,
    allowance: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, SourceError>> + Send {
    let state = (body, Bytes::new());
    let chunks = try_unfold(state, move |(mut body, mut rest)| {
        let allowance = Arc::clone(&allowance);
        async move {
            if rest.is_empty() {
                match body.next().await.map_err(SourceError)? {
                    Some(bytes) => rest = bytes,
                    None => return Ok(None),
                }
            }
            let chunk = rest.split_to(rest.len().min(MAX_CHUNK_BYTES));
            let left = allowance.load(Ordering::Relaxed);
            if left != IN_A_PART {
                let left = left.checked_sub(chunk.len()).ok_or_else(|| {
                    SourceError(malformed(
                        "the header of a part, or the preamble, is too long",
                    ))
                })?;
                allowance.store(left, Ordering::Relaxed);
            }
            Ok(Some((chunk, (body, rest))))
        }
    });
    OneByOne {
        chunks: Box::pin(chunks),
        is_pausing: false,
    }
}

/// Bytes that the parser gets at once. A chunk with the header of a file can have content as well.
pub(super) const MAX_CHUNK_BYTES: usize = 32 << 10;

/// The allowance while the reader of a part counts.
const IN_A_PART: usize = usize::MAX;

/// Returns one chunk for each poll.
struct OneByOne<S> {
    chunks: Pin<Box<S>>,
    is_pausing: bool,
}

impl<S: Stream> Stream for OneByOne<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.get_mut();
        if std::mem::take(&mut this.is_pausing) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = this.chunks.as_mut().poll_next(cx);
        this.is_pausing = matches!(next, Poll::Ready(Some(_)));
        next
    }
}

/// A problem of the source, on its way through the parser.
struct SourceError(Refusal);

impl std::fmt::Debug for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.info().code)
    }
}

impl std::error::Error for SourceError {}

/// Turns an error of the parser into a problem.
fn refusal(error: multer::Error) -> Refusal {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<SourceError>() {
            Ok(source) => source.0,
            Err(cause) => malformed(cause.to_string()),
        },
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteStream
        | multer::Error::IncompleteHeaders => {
            malformed("the form ends early, or a boundary is damaged")
        }
        _ => malformed("the header of a part is damaged"),
    }
}
