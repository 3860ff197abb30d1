//! Inspection of what a client sends: the protocol, request heads and message framing.

use std::ops::Range;

use doyen_http1::{Framing, FramingError};

use super::{ClientSocket, Input};
use crate::rejected_head::RejectedHead;
use crate::server::frames::Frames;

/// The start of an HTTP/2 connection.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl ClientSocket {
    /// Inspects the buffer.
    pub(super) fn inspect(&mut self) {
        if matches!(self.input, Input::Unknown) {
            let length = self.buffer.len().min(HTTP2_PREFACE.len());
            if self.buffer[..length] != HTTP2_PREFACE[..length] {
                self.input = Input::Http1(Framing::new(self.max_head_bytes));
            } else if length == HTTP2_PREFACE.len() {
                let mut frames = Frames::new(self.account.is_direct());
                let counted = frames.count(&mut self.buffer[length..], 0);
                self.input = counted.map_or_else(Input::Broken, |()| Input::Http2(frames));
                self.accepted = self.buffer.len();
            }
        }
        if let Input::Http1(framing) = &mut self.input {
            let scan = framing.scan(&self.buffer);
            self.accepted = scan.accepted;
            if let Some(error) = scan.error {
                let rest = self.buffer.split_off(scan.accepted);
                self.stop(error, &rest);
            }
        }
        self.note();
    }

    /// Stops reading from the client. `rest` starts with the bytes that are invalid.
    pub(super) fn stop(&mut self, error: FramingError, rest: &[u8]) {
        match error {
            FramingError::Head(head) => {
                self.reject(RejectedHead::Invalid(head.error), head.request_line, rest);
            }
            FramingError::Body(why) => self.input = Input::Broken(why),
        }
    }

    /// Rejects the head in the buffer, which did not become complete in time.
    pub(in crate::server) fn reject_late_head(&mut self) {
        let request_line = match &self.input {
            Input::Http1(framing) => framing.request_line(),
            _ => None,
        };
        let head = std::mem::take(&mut self.buffer);
        self.reject(RejectedHead::Timeout, request_line, &head);
        self.note();
    }

    /// Rejects what a client sends without TLS. It is not read.
    #[cfg(feature = "tls")]
    pub(in crate::server) fn reject_plain(&mut self) {
        self.reject(RejectedHead::NotTls, None, &[]);
    }

    /// Replaces a rejected head by a substitute with the same request line.
    fn reject(&mut self, why: RejectedHead, request_line: Option<Range<usize>>, head: &[u8]) {
        let heads = match &self.input {
            Input::Http1(framing) => framing.heads(),
            _ => 0,
        };
        self.flow.reject(heads, why);
        let line = request_line.and_then(|line| head.get(line));
        self.buffer
            .extend_from_slice(line.unwrap_or(b"- * HTTP/1.1"));
        self.buffer
            .extend_from_slice(b"\r\nhost: refused\r\nconnection: close\r\n\r\n");
        self.accepted = self.buffer.len();
        self.input = Input::Rejected;
    }

    /// Records whether a head is incomplete, and what the buffer costs.
    pub(super) fn note(&mut self) {
        self.flow.set_midway(self.buffer.len() > self.accepted);
        self.charge_head(self.buffer.capacity());
    }

    /// Charges the bytes of an incomplete request.
    pub(super) fn charge_head(&mut self, bytes: usize) {
        match &mut self.head_charge {
            _ if bytes == 0 => self.head_charge = None,
            Some(charge) => charge.set(bytes),
            None => self.head_charge = Some(self.account.charge(bytes)),
        }
    }
}
