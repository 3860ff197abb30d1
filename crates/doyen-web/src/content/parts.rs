//! Several ranges of a file in one response: `multipart/byteranges` (RFC 9110 section 14.6).

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::ops::Range;

use bytes::Bytes;
use doyen_core::{Refusal, Unexpected};
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{HeaderValue, header};

use super::body::Chunks;
use super::{Content, body, content_range};
use crate::Response;

/// Writes these parts into a response that has the media type of the file.
pub(super) fn write(
    response: &mut Response,
    content: &Content,
    parts: &[Range<u64>],
) -> Result<(), Refusal> {
    let boundary = boundary();
    let new = HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"));
    let own = response
        .headers_mut()
        .insert(header::CONTENT_TYPE, new.map_err(Unexpected::from)?);
    let media_type = own.as_ref().and_then(|field| field.to_str().ok());
    let media_type = media_type.unwrap_or("application/octet-stream");
    let mut length = 0;
    let mut all: Vec<Chunks> = Vec::with_capacity(2 * parts.len() + 1);
    let mut add = |text: String| {
        length += text.len() as u64;
        let bytes: io::Result<Bytes> = Ok(text.into());
        Box::pin(stream::once(std::future::ready(bytes))) as Chunks
    };
    for part in parts {
        let range = content_range(part, content.length);
        all.push(add(format!(
            "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n"
        )));
        let chunks = content.source.chunks(part.clone());
        all.push(chunks.map_err(Unexpected::from)?);
    }
    all.push(add(format!("\r\n--{boundary}--\r\n")));
    let length = length + parts.iter().map(|part| part.end - part.start).sum::<u64>();
    let chunks = Box::pin(stream::iter(all).flatten());
    *response.body_mut() = body::of(chunks, length);
    Ok(())
}

/// Returns 128 random bits: the boundary must not occur in the file.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
