//! The requests of an HTTP/1.1 connection, one after another.
//!
//! The end of each request is found here independently of the parser. The two agree because
//! everything that could be read differently is rejected first.

use std::ops::Range;

use crate::chunked_body::ChunkedBody;
use crate::error::FramingError;
use crate::head::{BodyFraming, HeadParser};

/// Finds the boundaries of the requests on one connection.
#[derive(Debug)]
pub struct Framing {
    state: State,
    max_head_bytes: usize,
    heads: u64,
}

#[derive(Debug)]
enum State {
    Head(HeadParser),
    /// A body of which this number of bytes is missing.
    Length(u64),
    Chunked(ChunkedBody),
}

/// The result of scanning some bytes.
#[derive(Debug)]
pub struct Scan {
    /// Number of bytes that belong to valid requests. The bytes after them are incomplete.
    pub accepted: usize,
    /// The violation in the bytes after them, if any.
    pub error: Option<FramingError>,
}

impl Framing {
    /// Creates the framing of a new connection.
    pub const fn new(max_head_bytes: usize) -> Self {
        Self {
            state: State::Head(HeadParser::new()),
            max_head_bytes,
            heads: 0,
        }
    }

    /// Returns the number of valid heads so far.
    #[inline]
    pub const fn heads(&self) -> u64 {
        self.heads
    }

    /// True while a body is incomplete.
    #[inline]
    pub const fn is_in_body(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// Returns the position of the request line of an incomplete head, if that line is complete.
    pub fn request_line(&self) -> Option<Range<usize>> {
        match &self.state {
            State::Head(head) => head.request_line(),
            State::Length(_) | State::Chunked(_) => None,
        }
    }

    /// Scans bytes. They start with those that the previous call did not accept.
    pub fn scan(&mut self, bytes: &[u8]) -> Scan {
        let mut accepted = 0;
        let error = loop {
            let rest = &bytes[accepted..];
            if rest.is_empty() {
                break None;
            }
            match &mut self.state {
                State::Head(head) => match head.parse(rest, self.max_head_bytes) {
                    Ok(None) => break None,
                    Ok(Some((length, body))) => {
                        accepted += length;
                        self.heads += 1;
                        self.state = match body {
                            BodyFraming::None => State::Head(HeadParser::new()),
                            BodyFraming::Length(length) => State::Length(length),
                            BodyFraming::Chunked => State::Chunked(ChunkedBody::new()),
                        };
                    }
                    Err(invalid) => break Some(FramingError::Head(invalid)),
                },
                State::Length(missing) => {
                    let taken = (rest.len() as u64).min(*missing);
                    *missing -= taken;
                    // At most `rest.len()`.
                    accepted += usize::try_from(taken).unwrap_or(usize::MAX);
                    if *missing == 0 {
                        self.state = State::Head(HeadParser::new());
                    }
                }
                State::Chunked(body) => match body.scan(rest) {
                    Ok((length, is_complete)) => {
                        accepted += length;
                        if is_complete {
                            self.state = State::Head(HeadParser::new());
                        }
                    }
                    // None of these bytes can be trusted, so none is accepted.
                    Err(why) => break Some(FramingError::Body(why)),
                },
            }
        };
        Scan { accepted, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_HEAD_BYTES: usize = 4096;

    /// Returns the number of valid heads, and the error.
    fn at_once(text: &str) -> (u64, Option<String>) {
        let mut framing = Framing::new(MAX_HEAD_BYTES);
        let scan = framing.scan(text.as_bytes());
        (framing.heads(), scan.error.map(describe))
    }

    /// The same with one byte per call.
    fn byte_by_byte(text: &str) -> (u64, Option<String>) {
        let mut framing = Framing::new(MAX_HEAD_BYTES);
        let mut held = Vec::new();
        for byte in text.bytes() {
            held.push(byte);
            let scan = framing.scan(&held);
            held.drain(..scan.accepted);
            if let Some(error) = scan.error {
                return (framing.heads(), Some(describe(error)));
            }
        }
        assert!(held.is_empty(), "{text:?} is incomplete");
        (framing.heads(), None)
    }

    fn describe(error: FramingError) -> String {
        match error {
            FramingError::Head(invalid) => format!("{:?}", invalid.error),
            FramingError::Body(why) => why.to_owned(),
        }
    }

    #[test]
    fn consecutive_requests_are_separated() {
        let get = "GET /a?b=c HTTP/1.1\r\nhost: a\r\n\r\n";
        for (all, heads) in [
            (get.to_owned(), 1),
            (format!("\r\n{get}"), 1),
            (get.repeat(3), 3),
            (
                format!(
                    "POST / HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\n{}{get}",
                    "GET /"
                ),
                2,
            ),
            (
                format!(
                    "POST / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:  Chunked \r\n\r\n2\r\nab\r\n0\r\n\r\n{get}"
                ),
                2,
            ),
            (
                format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n{get}"),
                2,
            ),
            ("GET / HTTP/1.0\r\n\r\n".to_owned(), 1),
            ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 1),
            (
                "GET http://a:80/x HTTP/1.1\r\nhost: A:80\r\n\r\n".to_owned(),
                1,
            ),
            ("GET HTTPS://a HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 1),
            (
                "GET / HTTP/1.1\r\nhost: a\r\nx:\r\ny: \t b\tc \t\r\nz: \u{fc}\r\n\r\n".to_owned(),
                1,
            ),
            ("GET /{a}|b\"c HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 1),
        ] {
            assert_eq!(at_once(&all), (heads, None), "{all:?}");
            assert_eq!(byte_by_byte(&all), (heads, None), "{all:?}");
        }
    }

    #[test]
    fn the_request_line_of_an_invalid_head_is_known() {
        let text = "GET /a HTTP/1.1\r\nhost: a\r\nGET /b";
        let mut framing = Framing::new(MAX_HEAD_BYTES);
        assert_eq!(framing.scan(text.as_bytes()).accepted, 0);
        assert_eq!(&text[framing.request_line().unwrap()], "GET /a HTTP/1.1");
        let text = "GET /a HTTP/1.1\r\nhost : a\r\n";
        match Framing::new(MAX_HEAD_BYTES).scan(text.as_bytes()).error {
            Some(FramingError::Head(invalid)) => {
                assert_eq!(&text[invalid.request_line.unwrap()], "GET /a HTTP/1.1")
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_length_of_a_head_is_limited() {
        let error = |text: &str| at_once(text).1.unwrap_or_default();
        let long = "x".repeat(MAX_HEAD_BYTES);
        assert!(error(&format!("GET /{long}")).contains("UriTooLong"));
        assert!(error(&format!("GET /{long} HTTP/1.1\r\n")).contains("UriTooLong"));
        assert!(error(&format!("GET / HTTP/1.1\r\nx: {long}")).contains("HeadersTooLarge"));
        let headers = "x: y\r\n".repeat(101);
        assert!(error(&format!("GET / HTTP/1.1\r\n{headers}\r\n")).contains("HeadersTooLarge"));
        let headers = "x: y\r\n".repeat(99);
        assert_eq!(
            at_once(&format!("GET / HTTP/1.1\r\nhost: a\r\n{headers}\r\n")),
            (1, None)
        );
    }
}
