//! A streamed body that is compressed while it is sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tokio::sync::SemaphorePermit;

use super::encoder::{Encoder, STEP_BYTES};
use crate::Body;
use crate::body::BoxError;

/// Compresses a body. What is produced is sent before the body waits for more.
pub(crate) struct EncodedBody {
    body: Body,
    /// `None` after the end of the data.
    encoder: Option<Encoder>,
    /// The rest of a frame.
    rest: Bytes,
    /// True if bytes were written since the last flush.
    is_unflushed: bool,
    trailers: Option<HeaderMap>,
    _place: SemaphorePermit<'static>,
}

impl EncodedBody {
    /// The place counts as long as the body exists.
    pub(crate) fn new(body: Body, encoder: Encoder, place: SemaphorePermit<'static>) -> Self {
        Self {
            body,
            encoder: Some(encoder),
            rest: Bytes::new(),
            is_unflushed: false,
            trailers: None,
            _place: place,
        }
    }

    /// Compresses the next bytes, flushes, or ends the data. Returns `None` once it has ended.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, BoxError>>> {
        let Some(encoder) = &mut self.encoder else {
            return Poll::Ready(None);
        };
        if !self.rest.is_empty() {
            let step = self.rest.split_to(self.rest.len().min(STEP_BYTES));
            self.is_unflushed = true;
            let written = encoder.write(&step).map(|()| encoder.take());
            return Poll::Ready(Some(written.map_err(Into::into)));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => frame.transpose()?,
            Poll::Pending if self.is_unflushed => {
                self.is_unflushed = false;
                let flushed = encoder.flush().map(|()| encoder.take());
                return Poll::Ready(Some(flushed.map_err(Into::into)));
            }
            Poll::Pending => return Poll::Pending,
        };
        match frame.map(Frame::into_data) {
            Some(Ok(bytes)) => {
                self.rest = bytes;
                return Poll::Ready(Some(Ok(Vec::new())));
            }
            Some(Err(frame)) => self.trailers = frame.into_trailers().ok(),
            None => {}
        }
        let last = self.encoder.take().map(Encoder::finish);
        Poll::Ready(last.map(|last| last.map_err(Into::into)))
    }
}

impl http_body::Body for EncodedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            match ready!(this.poll_data(cx)).transpose()? {
                // An encoder keeps bytes until it has enough.
                Some(data) if data.is_empty() => {}
                Some(data) => return Poll::Ready(Some(Ok(Frame::data(data.into())))),
                None => return Poll::Ready(this.trailers.take().map(Frame::trailers).map(Ok)),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.trailers.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _};

    use futures_util::{StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::coding::Coding;

    static PLACES: Semaphore = Semaphore::const_new(8);

    fn encoded(body: Body) -> EncodedBody {
        let encoder = Encoder::new(Coding::Gzip, None).unwrap();
        EncodedBody::new(body, encoder, PLACES.try_acquire().unwrap())
    }

    /// Reads what is there of a stream that has not ended.
    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut decoder = flate2::read::GzDecoder::new(packed);
        let (mut all, mut byte) = (Vec::new(), [0]);
        while matches!(decoder.read(&mut byte), Ok(1)) {
            all.push(byte[0]);
        }
        all
    }

    #[tokio::test]
    async fn what_is_produced_is_sent_before_the_next_wait() {
        let (send, receive) = mpsc::channel::<&'static str>(4);
        let frames = stream::unfold(receive, |mut receive| async move {
            let next = receive.recv().await?;
            Some((Ok::<_, io::Error>(Frame::data(Bytes::from(next))), receive))
        });
        let mut body = encoded(Body::stream(StreamBody::new(frames.boxed())));
        let mut packed = Vec::new();
        for (text, whole) in [("one, ", "one, "), ("two", "one, two")] {
            send.send(text).await.unwrap();
            while unpacked(&packed) != whole.as_bytes() {
                let frame = body.frame().await.unwrap().unwrap();
                packed.extend(frame.into_data().unwrap());
            }
        }
        drop(send);
        packed.extend(body.collect().await.unwrap().to_bytes());
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(&packed[..]);
        decoder.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one, two");
    }

    #[tokio::test]
    async fn trailers_follow_the_data_and_an_error_ends_it() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        let frames = [
            Ok::<_, io::Error>(Frame::data(Bytes::from(vec![b'a'; 1 << 20]))),
            Ok(Frame::trailers(trailers.clone())),
        ];
        let body = encoded(Body::stream(StreamBody::new(stream::iter(frames))));
        let whole = body.collect().await.unwrap();
        assert_eq!(whole.trailers(), Some(&trailers));
        assert_eq!(unpacked(&whole.to_bytes()), vec![b'a'; 1 << 20]);

        let frames = [
            Ok(Frame::data(Bytes::from_static(b"a"))),
            Err(io::Error::other("lost")),
        ];
        let body = encoded(Body::stream(StreamBody::new(stream::iter(frames))));
        assert!(body.collect().await.is_err(), "it is not ended as if whole");
    }
}
