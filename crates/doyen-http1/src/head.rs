//! The head of one request: the request line and the headers.
//!
//! The parser keeps its state between calls, so that a head which arrives byte by byte is not read
//! again from the start.

use std::ops::Range;

use crate::authority::Authority;
use crate::bytes::{is_token, next_control, token_length};
use crate::error::{HeadError, InvalidHead, Result, malformed};
use crate::request_line::RequestLine;

/// Maximum number of headers: that of the parser.
const MAX_HEADERS: usize = 100;

/// Maximum `Content-Length`: 2^62.
const MAX_CONTENT_LENGTH: u64 = 1 << 62;

/// A head that is being received. Positions count from its first byte.
#[derive(Debug)]
pub(crate) struct HeadParser {
    /// Start of the first line that is not complete.
    line_start: usize,
    /// How far its end has been searched.
    searched: usize,
    lines: usize,
    request_line: Option<RequestLine>,
    host: Option<Range<usize>>,
    content_length: Option<u64>,
    is_chunked: bool,
    has_authorization: bool,
    has_content_type: bool,
    has_api_key: bool,
}

/// The body that follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    None,
    Length(u64),
    Chunked,
}

impl HeadParser {
    pub(crate) const fn new() -> Self {
        Self {
            line_start: 0,
            searched: 0,
            lines: 0,
            request_line: None,
            host: None,
            content_length: None,
            is_chunked: false,
            has_authorization: false,
            has_content_type: false,
            has_api_key: false,
        }
    }

    /// Parses a head from its first byte. Returns its length and the framing of its body, or `None`
    /// if it is incomplete.
    pub(crate) fn parse(
        &mut self,
        bytes: &[u8],
        max_bytes: usize,
    ) -> std::result::Result<Option<(usize, BodyFraming)>, InvalidHead> {
        self.parse_lines(bytes, max_bytes)
            .map_err(|error| InvalidHead {
                error,
                request_line: self.request_line(),
            })
    }

    /// Returns the position of the request line, if it is complete.
    pub(crate) fn request_line(&self) -> Option<Range<usize>> {
        self.request_line.as_ref().map(|line| line.range.clone())
    }

    fn parse_lines(
        &mut self,
        bytes: &[u8],
        max_bytes: usize,
    ) -> Result<Option<(usize, BodyFraming)>> {
        // A client of another protocol may never send a line end.
        if let Some(first) = bytes.first()
            && !is_token(*first)
            && *first != b'\r'
        {
            return malformed("The request must start with a method.");
        }
        loop {
            let stop = next_control(bytes, self.searched);
            // After a final CR the LF may still be missing.
            let is_complete = stop + 1 < bytes.len();
            if stop + if is_complete { 2 } else { 0 } > max_bytes {
                return Err(match &self.request_line {
                    None => HeadError::UriTooLong,
                    Some(_) => HeadError::HeadersTooLarge(
                        "The headers exceed the maximum length. Send fewer or shorter headers.",
                    ),
                });
            }
            self.searched = stop;
            match bytes.get(stop..) {
                None | Some([] | [b'\r']) => return Ok(None),
                Some([b'\r', b'\n', ..]) => {}
                Some([b'\t', ..]) => {
                    // Valid in a header value. Elsewhere it is rejected with the line.
                    self.searched = stop + 1;
                    continue;
                }
                Some([b'\n', ..]) => return malformed("A line ends with a bare LF."),
                Some(_) => return malformed("A line contains a control character."),
            }
            let (start, end) = (self.line_start, stop + 2);
            let line = &bytes[start..stop];
            (self.line_start, self.searched) = (end, end);
            self.lines += 1;
            match (&self.request_line, line) {
                // RFC 9112 section 2.2: one empty line before a request is skipped.
                (None, b"") if self.lines == 1 => {}
                (None, _) => self.request_line = Some(RequestLine::parse(line, start)?),
                (Some(_), b"") => {
                    return self.finish(&bytes[..end]).map(|body| Some((end, body)));
                }
                (Some(_), _) => self.header(line, start)?,
            }
        }
    }

    fn header(&mut self, line: &[u8], start: usize) -> Result<()> {
        if self.lines > MAX_HEADERS + 1 {
            return Err(HeadError::HeadersTooLarge(
                "The request has more than 100 headers. Send fewer.",
            ));
        }
        let name = token_length(line);
        if line.get(name) != Some(&b':') || name == 0 {
            return match line.first() {
                Some(b' ' | b'\t') => malformed("A line starts with a space."),
                _ => malformed("A header name is malformed."),
            };
        }
        let is = |known: &[u8]| line[..name].eq_ignore_ascii_case(known);
        match name {
            4 if is(b"host") => {
                let value = trimmed(line, name + 1);
                if self.host.is_some() {
                    return malformed("The request has more than one `Host` header.");
                }
                if !Authority::is_valid(&line[value.clone()]) {
                    return malformed("`Host` must be a host with an optional port.");
                }
                self.host = Some(start + value.start..start + value.end);
            }
            14 if is(b"content-length") => {
                if self.content_length.is_some() {
                    return malformed("The request has more than one `Content-Length` header.");
                }
                self.content_length = Some(content_length(&line[trimmed(line, name + 1)])?);
            }
            17 if is(b"transfer-encoding") => {
                if self.is_chunked {
                    return malformed("The request has more than one `Transfer-Encoding` header.");
                }
                if !line[trimmed(line, name + 1)].eq_ignore_ascii_case(b"chunked") {
                    return malformed("The only supported `Transfer-Encoding` is `chunked`.");
                }
                self.is_chunked = true;
            }
            13 if is(b"authorization") => once(
                &mut self.has_authorization,
                "The request has more than one `Authorization` header.",
            )?,
            12 if is(b"content-type") => once(
                &mut self.has_content_type,
                "The request has more than one `Content-Type` header.",
            )?,
            9 if is(b"x-api-key") => once(
                &mut self.has_api_key,
                "The request has more than one `X-API-Key` header.",
            )?,
            _ => {}
        }
        Ok(())
    }

    /// Checks what depends on several lines.
    fn finish(&self, bytes: &[u8]) -> Result<BodyFraming> {
        let Some(request) = &self.request_line else {
            return malformed("The request line is missing.");
        };
        match (&self.host, &request.authority) {
            (None, _) if !request.is_http10 => {
                return malformed("The `Host` header is missing.");
            }
            (Some(host), Some(authority))
                if !bytes[host.clone()].eq_ignore_ascii_case(&bytes[authority.clone()]) =>
            {
                return malformed("`Host` differs from the host in the request target.");
            }
            _ => {}
        }
        match (self.is_chunked, self.content_length) {
            (true, Some(_)) => {
                malformed("The request has both `Content-Length` and `Transfer-Encoding`.")
            }
            (true, None) if request.is_http10 => {
                malformed("HTTP/1.0 does not support `Transfer-Encoding`.")
            }
            (true, None) => Ok(BodyFraming::Chunked),
            (false, None | Some(0)) => Ok(BodyFraming::None),
            (false, Some(length)) => Ok(BodyFraming::Length(length)),
        }
    }
}

fn content_length(value: &[u8]) -> Result<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return malformed("`Content-Length` must be one whole number.");
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    match text.parse() {
        Ok(length) if length <= MAX_CONTENT_LENGTH => Ok(length),
        _ => malformed("`Content-Length` is too large."),
    }
}

fn once(is_present: &mut bool, why: &'static str) -> Result<()> {
    if std::mem::replace(is_present, true) {
        return malformed(why);
    }
    Ok(())
}

/// Returns the range of the rest of a line without surrounding white space.
fn trimmed(line: &[u8], mut start: usize) -> Range<usize> {
    let mut end = line.len();
    while start < end && matches!(line[start], b' ' | b'\t') {
        start += 1;
    }
    while start < end && matches!(line[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    start..end
}
