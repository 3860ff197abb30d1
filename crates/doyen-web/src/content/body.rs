//! A file that is read while it is sent.

use std::fs::File;
use std::io::{self, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::Body;

/// Bytes that are read at once, the memory of one download. The next chunk is read once the
/// connection takes this one.
const CHUNK_BYTES: usize = 64 << 10;

/// Content that is read while it is sent.
pub type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

struct Part {
    chunks: Chunks,
    left: u64,
}

/// Returns chunks of this total length as a body.
pub(super) fn of(chunks: Chunks, left: u64) -> Body {
    if left == 0 {
        return Body::empty();
    }
    Body::stream(Part { chunks, left })
}

/// Returns a part of a file. Parts of the same file are read one after the other.
pub(super) fn file(file: File, part: Range<u64>) -> Chunks {
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(CHUNK_BYTES);
    let left = part.end - part.start;
    Box::pin(try_unfold(
        (file, Some(part.start), left),
        |(mut file, start, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            if let Some(start) = start {
                file.seek(SeekFrom::Start(start)).await?;
            }
            let bytes = read(&mut file, left).await?;
            let left = left - bytes.len() as u64;
            Ok(Some((bytes, (file, None, left))))
        },
    ))
}

/// Reads the next chunk.
async fn read(file: &mut tokio::fs::File, left: u64) -> io::Result<Bytes> {
    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
    let mut chunk = BytesMut::with_capacity(wanted);
    if file.read_buf(&mut chunk).await? == 0 {
        // The length is sent already: the client must not take a part for the whole.
        let error = "the file became shorter while it was sent";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error));
    }
    chunk.truncate(wanted);
    Ok(chunk.freeze())
}

impl http_body::Body for Part {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let chunk = ready!(this.chunks.as_mut().poll_next(cx));
        if let Some(Ok(bytes)) = &chunk {
            this.left = this.left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
