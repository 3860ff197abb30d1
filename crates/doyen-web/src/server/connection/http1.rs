//! A connection over HTTP/1.1: the parser, and what takes over from it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::server::conn::http1::UpgradeableConnection;
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;

use super::event_stream::EventStream;
use super::events::Connection;
use crate::Body;
use crate::body::BoxError;
use crate::server::flow::Flow;
use crate::server::requests::Requests;
use crate::server::socket::ClientSocket;

/// A connection that is served by the parser, until it ends or a response takes it over.
pub(super) struct Http1<S: HttpService<Incoming>> {
    /// Boxed, so that its memory is released when a response takes over.
    parser: Option<Box<UpgradeableConnection<TokioIo<ClientSocket>, S>>>,
    stream: Option<EventStream>,
    requests: Arc<Requests>,
}

impl<S: HttpService<Incoming>> Http1<S> {
    pub(super) fn new(
        parser: UpgradeableConnection<TokioIo<ClientSocket>, S>,
        requests: Arc<Requests>,
    ) -> Self {
        Self {
            parser: Some(Box::new(parser)),
            stream: None,
            requests,
        }
    }
}

impl<S> Future for Http1<S>
where
    S: HttpService<Incoming, ResBody = Body> + Unpin,
    S::Error: Into<BoxError>,
{
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(parser) = &mut this.parser {
            let polled = Pin::new(&mut **parser).poll(cx);
            let Some(response) = this.requests.take_event_stream() else {
                return polled.map_err(Into::into);
            };
            let parts = this.parser.take().and_then(|parser| parser.into_parts());
            this.stream = parts.map(|parts| EventStream::new(parts.io.into_inner(), response));
        }
        match &mut this.stream {
            Some(stream) => Pin::new(stream).poll(cx).map_err(Into::into),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<S> Connection for Http1<S>
where
    S: HttpService<Incoming, ResBody = Body> + Unpin,
    S::Error: Into<BoxError>,
{
    type Error = BoxError;

    fn leave(self: Pin<&mut Self>, flow: &Flow) {
        flow.leave();
    }
}
