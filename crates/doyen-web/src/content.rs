//! A file or bytes as the content of a response: with `ETag`, `Last-Modified` and ranges.

mod body;
mod media;
mod parts;
mod range;
mod validators;

pub use body::Chunks;
pub(crate) use media::media_type;

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use doyen_core::{Kind, Problem, ProblemExtras, ProblemInfo, Refusal, Unexpected};
use http::{HeaderValue, Method, StatusCode, header};

use crate::{Body, Response};
use range::Wanted;

/// Maximum size of a file that is read as a whole. Larger ones are streamed.
const MAX_WHOLE_BYTES: u64 = 64 << 10;

/// The problem for a range that is outside of the file.
pub static RANGE_NOT_SATISFIABLE: ProblemInfo = ProblemInfo {
    code: "range_not_satisfiable",
    kind: Kind::RangeNotSatisfiable,
    title: "Range Not Satisfiable",
    description: "The range begins after the end of the file. `detail` gives its length. Send a range inside of it, or no `Range`.",
};

/// A range outside of a file of this length.
#[derive(Debug)]
pub(crate) struct RangeNotSatisfiable {
    length: u64,
}

impl Problem for RangeNotSatisfiable {
    fn info(&self) -> &'static ProblemInfo {
        &RANGE_NOT_SATISFIABLE
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&RANGE_NOT_SATISFIABLE]
    }
    fn detail(&self) -> Option<String> {
        Some(format!("the file has {} bytes", self.length))
    }
    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("content-range", format!("bytes */{}", self.length))]
    }
    fn extras() -> Vec<ProblemExtras> {
        vec![ProblemExtras {
            code: RANGE_NOT_SATISFIABLE.code,
            headers: &[("Content-Range", "Length of the file: `bytes */1234`.")],
            members: &[],
        }]
    }
}

/// What is sent, and what identifies this version of it.
#[derive(Debug)]
pub(crate) struct Content {
    source: Source,
    length: u64,
    /// The opaque part of a strong entity tag.
    tag: String,
    modified: Option<SystemTime>,
}

/// Reads a part of content that is stored elsewhere.
pub type ReadPart = Arc<dyn Fn(Range<u64>) -> Chunks + Send + Sync>;

enum Source {
    Whole(Bytes),
    File(File),
    Stored(ReadPart),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Source::Whole(_) => "Whole",
            Source::File(_) => "File",
            Source::Stored(_) => "Stored",
        })
    }
}

impl Source {
    /// Returns a part as a stream.
    fn chunks(&self, part: Range<u64>) -> io::Result<Chunks> {
        Ok(match self {
            Source::Whole(bytes) => {
                let bytes = slice(bytes, &part);
                Box::pin(futures_util::stream::once(std::future::ready(Ok(bytes))))
            }
            Source::File(file) => body::file(file.try_clone()?, part),
            Source::Stored(read) => read(part),
        })
    }
}

fn slice(bytes: &Bytes, part: &Range<u64>) -> Bytes {
    let at = |place: u64| usize::try_from(place).unwrap_or(bytes.len());
    bytes.slice(at(part.start)..at(part.end))
}

impl Content {
    /// Opens a file, and reads it if it is small.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let mut length = metadata.len();
        let modified = metadata.modified().ok();
        let tag = tag(&metadata);
        let source = if length <= MAX_WHOLE_BYTES {
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
            // A file that grows meanwhile must not be sent beyond the limit.
            file.by_ref()
                .take(MAX_WHOLE_BYTES)
                .read_to_end(&mut bytes)?;
            length = bytes.len() as u64;
            Source::Whole(bytes.into())
        } else {
            Source::File(file)
        };
        Ok(Self {
            source,
            length,
            tag,
            modified,
        })
    }

    /// Content that is stored elsewhere, with the opaque part of its strong tag.
    pub(crate) const fn stored(length: u64, tag: String, read: ReadPart) -> Self {
        Self {
            source: Source::Stored(read),
            length,
            tag,
            modified: None,
        }
    }

    /// Content that a handler made.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        Self {
            length: bytes.len() as u64,
            tag: format!("{:x}-{:016x}", bytes.len(), hasher.finish()),
            source: Source::Whole(bytes),
            modified: None,
        }
    }
}

/// A tag that changes with the content: length, time of the last change in nanoseconds and, on
/// Unix, the number of the file, which a replaced file does not keep.
fn tag(metadata: &fs::Metadata) -> String {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanos = since.unwrap_or_default().as_nanos();
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let number = 0;
    format!("{:x}-{nanos:x}-{number:x}", metadata.len())
}

/// Returns the response to a request for this content: the whole, a part of it, or a 304.
pub(crate) fn send(
    content: Content,
    head: &http::request::Parts,
    media_type: HeaderValue,
) -> Result<Response, Refusal> {
    let tag = format!("\"{}\"", content.tag);
    let modified = content.modified.map(httpdate::fmt_http_date);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        HeaderValue::try_from(&tag).map_err(Unexpected::from)?,
    );
    if let Some(modified) = &modified {
        let modified = HeaderValue::try_from(modified).map_err(Unexpected::from)?;
        headers.insert(header::LAST_MODIFIED, modified);
    }
    if validators::is_unmodified(head, content.modified) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let length = content.length;
    // Only for GET (RFC 9110 section 14.2), and not if the whole is a 304 anyway.
    let is_partial = head.method == Method::GET
        && !validators::is_known(head, &content.tag)
        && validators::range_applies(head, &content.tag, content.modified);
    let wanted = match head.headers.get(header::RANGE) {
        Some(field) if is_partial => range::parse(field.to_str().unwrap_or_default(), length),
        _ => Wanted::Whole,
    };
    let part = match wanted {
        Wanted::Whole => 0..length,
        Wanted::Unsatisfiable => return Err(RangeNotSatisfiable { length }.into()),
        Wanted::Parts(mut parts) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            if parts.len() > 1 {
                parts::write(&mut response, &content, &parts)?;
                return Ok(response);
            }
            let part = parts.remove(0);
            let field = HeaderValue::try_from(content_range(&part, length));
            let field = field.map_err(Unexpected::from)?;
            response.headers_mut().insert(header::CONTENT_RANGE, field);
            part
        }
    };
    *response.body_mut() = match &content.source {
        Source::Whole(bytes) => Body::whole(slice(bytes, &part)),
        source => {
            let length = part.end - part.start;
            body::of(source.chunks(part).map_err(Unexpected::from)?, length)
        }
    };
    Ok(response)
}

fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end - 1)
}
