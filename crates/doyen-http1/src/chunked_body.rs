//! A chunked body (RFC 9112 section 7.1), scanned only to find its end.
//!
//! The grammar is narrower than that of the parser: a chunk size is hexadecimal digits only, each
//! line ends with CRLF, and chunk extensions and trailers are short and well-formed. A chunked body
//! that two servers read differently can hide a second request.

use crate::bytes::is_token;

/// Maximum length of the extensions of one chunk. No client is known to use any.
const MAX_EXTENSION_BYTES: usize = 256;

/// Maximum length of all trailers together. They are skipped.
const MAX_TRAILER_BYTES: usize = 8 << 10;

/// Maximum number of digits of a chunk size: sums of sizes fit into 64 bits.
const MAX_SIZE_DIGITS: u8 = 15;

/// A chunked body that is being received.
#[derive(Debug)]
pub(crate) struct ChunkedBody {
    state: State,
    /// Bytes of the current chunk that are missing, or its size as far as it was received.
    remaining: u64,
    /// Bytes of the current extension, or of all trailers.
    skipped: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size {
        digits: u8,
    },
    Extension(Extension),
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the first byte of a line after the last chunk.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
}

/// Where the scan of chunk extensions is: `;name`, `;name=token` or `;name="text"`. White space is
/// allowed before `=`, after `=`, after `;`, and before the `;` of another extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// After `;`.
    NameStart,
    Name,
    NameSpace,
    /// After `=`.
    ValueStart,
    Value,
    Quoted,
    /// After a backslash in quotes.
    Escaped,
    /// After the closing quote.
    Unquoted,
    ValueSpace,
}

impl Extension {
    /// Returns the state after this byte, or `None` if the byte violates the grammar.
    fn next(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Quoted, b'"') => Self::Unquoted,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Quoted | Self::Escaped, _) => Self::Quoted,
            (Self::NameStart | Self::ValueStart, b' ' | b'\t') => self,
            (Self::Name | Self::NameSpace, b' ' | b'\t') => Self::NameSpace,
            (Self::Value | Self::Unquoted | Self::ValueSpace, b' ' | b'\t') => Self::ValueSpace,
            (Self::Name | Self::NameSpace, b'=') => Self::ValueStart,
            (Self::ValueStart, b'"') => Self::Quoted,
            (Self::NameStart | Self::Name, _) if is_token(byte) => Self::Name,
            (Self::ValueStart | Self::Value, _) if is_token(byte) => Self::Value,
            (Self::NameStart | Self::ValueStart, _) => return None,
            (_, b';') => Self::NameStart,
            _ => return None,
        })
    }

    /// True if the line may end here.
    const fn may_end(self) -> bool {
        matches!(self, Self::Name | Self::Value | Self::Unquoted)
    }
}

impl ChunkedBody {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Size { digits: 0 },
            remaining: 0,
            skipped: 0,
        }
    }

    /// Scans more bytes. Returns how many of them belong to the body, and whether it is complete.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Result<(usize, bool), &'static str> {
        let mut used = 0;
        while let Some(byte) = bytes.get(used).copied() {
            if self.state == State::Data {
                let available = (bytes.len() - used) as u64;
                let taken = available.min(self.remaining);
                self.remaining -= taken;
                // At most `available`, which was converted from `usize`.
                used += usize::try_from(taken).unwrap_or(usize::MAX);
                if self.remaining == 0 {
                    self.state = State::DataCr;
                }
                continue;
            }
            used += 1;
            if self.state == State::LastLf {
                return lf(byte).map(|()| (used, true));
            }
            self.state = self.next(byte)?;
        }
        Ok((used, false))
    }

    fn next(&mut self, byte: u8) -> Result<State, &'static str> {
        match self.state {
            State::Size { digits } => self.size(digits, byte),
            State::Extension(extension) if byte == b'\r' && extension.may_end() => {
                Ok(State::SizeLf)
            }
            State::Extension(extension) => {
                self.skip(byte, MAX_EXTENSION_BYTES)?;
                let next = extension.next(byte);
                next.map(State::Extension)
                    .ok_or("A chunk extension is malformed.")
            }
            State::SizeLf => {
                lf(byte)?;
                self.skipped = 0;
                Ok(if self.remaining == 0 {
                    State::Trailer
                } else {
                    State::Data
                })
            }
            State::DataCr if byte == b'\r' => Ok(State::DataLf),
            State::DataLf => lf(byte).map(|()| State::Size { digits: 0 }),
            State::Trailer if byte == b'\r' => Ok(State::LastLf),
            State::Trailer | State::TrailerName => {
                self.skip(byte, MAX_TRAILER_BYTES)?;
                match byte {
                    b':' if self.state == State::TrailerName => Ok(State::TrailerValue),
                    _ if is_token(byte) => Ok(State::TrailerName),
                    _ => Err("A trailer is malformed."),
                }
            }
            State::TrailerValue if byte == b'\r' => Ok(State::TrailerLf),
            State::TrailerValue => self
                .skip(byte, MAX_TRAILER_BYTES)
                .map(|()| State::TrailerValue),
            State::TrailerLf => lf(byte).map(|()| State::Trailer),
            State::Data | State::DataCr | State::LastLf => Err("A chunk is longer than its size."),
        }
    }

    fn size(&mut self, digits: u8, byte: u8) -> Result<State, &'static str> {
        let digit = char::from(byte).to_digit(16);
        match (digit, byte) {
            (Some(digit), _) if digits < MAX_SIZE_DIGITS => {
                self.remaining = self.remaining << 4 | u64::from(digit);
                Ok(State::Size { digits: digits + 1 })
            }
            (Some(_), _) => Err("A chunk size is too large."),
            (None, b'\r') if digits > 0 => Ok(State::SizeLf),
            (None, b';') if digits > 0 => Ok(State::Extension(Extension::NameStart)),
            _ => Err("A chunk size is not hexadecimal digits."),
        }
    }

    fn skip(&mut self, byte: u8, limit: usize) -> Result<(), &'static str> {
        self.skipped += 1;
        if self.skipped > limit {
            return Err("Chunk extensions or trailers are too long.");
        }
        match byte {
            b'\t' => Ok(()),
            0..=0x1f | 0x7f => Err("A chunk extension or trailer contains a control character."),
            _ => Ok(()),
        }
    }
}

fn lf(byte: u8) -> Result<(), &'static str> {
    if byte == b'\n' {
        return Ok(());
    }
    Err("A line of a chunked body does not end with CRLF.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_once(text: &str) -> Result<(usize, bool), &'static str> {
        ChunkedBody::new().scan(text.as_bytes())
    }

    /// The same with one byte per call.
    fn byte_by_byte(text: &str) -> Result<(usize, bool), &'static str> {
        let mut body = ChunkedBody::new();
        for (at, byte) in text.bytes().enumerate() {
            let (used, done) = body.scan(&[byte])?;
            assert_eq!(used, 1);
            if done {
                return Ok((at + 1, true));
            }
        }
        Ok((text.len(), false))
    }

    #[test]
    fn the_end_of_a_body_is_found() {
        for body in [
            "0\r\n\r\n",
            "000\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
            "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n",
            "5; a ; b = c ; d=\"e\\\";\\\\f\"\r\nhello\r\n0;a=\"\"\r\n\r\n",
            "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
            "0\r\nx-checksum: abc\r\nhost: elsewhere\r\n\r\n",
        ] {
            for scan in [at_once, byte_by_byte] {
                assert_eq!(scan(body), Ok((body.len(), true)), "{body:?}");
                let more = format!("{body}GET / HTTP/1.1\r\n");
                assert_eq!(scan(&more), Ok((body.len(), true)), "{more:?}");
                let less = &body[..body.len() - 1];
                assert_eq!(scan(less), Ok((less.len(), false)), "{less:?}");
            }
        }
    }

    #[test]
    fn an_ambiguous_body_is_rejected() {
        let extension = format!(
            "5;{}\r\nhello\r\n0\r\n\r\n",
            "x".repeat(MAX_EXTENSION_BYTES + 1)
        );
        let trailers = format!("0\r\n{}\r\n", "x: y\r\n".repeat(MAX_TRAILER_BYTES / 3));
        for body in [
            "\r\n",
            "\n",
            ";a\r\n",
            "0x5\r\nhello\r\n",
            "+5\r\nhello\r\n",
            "-5\r\n",
            " 5\r\nhello\r\n",
            "5 \r\nhello\r\n",
            "5\t\r\nhello\r\n",
            "5 ;a\r\nhello\r\n",
            "5_0\r\n",
            "5\nhello\r\n",
            "5\rhello\r\n",
            "5\r\r\nhello\r\n",
            "5;a\nhello\r\n",
            "5;a\0\r\nhello\r\n",
            "5;\r\nhello\r\n",
            "5;;a\r\nhello\r\n",
            "5;a;\r\nhello\r\n",
            "5;=b\r\nhello\r\n",
            "5;a=\r\nhello\r\n",
            "5;a=b=c\r\nhello\r\n",
            "5;a b\r\nhello\r\n",
            "5;a=b c\r\nhello\r\n",
            "5;a \r\nhello\r\n",
            "5;a=b \r\nhello\r\n",
            "5;a=\"b\" \r\nhello\r\n",
            "5;a,b\r\nhello\r\n",
            "5;a=\"b\r\nhello\r\n",
            "5;a=\"b\"c\r\nhello\r\n",
            "5;a=\"b\\\r\nhello\r\n",
            "5;a\u{fc}\r\nhello\r\n",
            "g\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello\r0\r\n\r\n",
            "5\r\nhello!\r\n",
            "fffffffffffffffff\r\n",
            "0000000000000005\r\nhello\r\n",
            "0\r\n\n",
            "0\r\n x: y\r\n\r\n",
            "0\r\nx : y\r\n\r\n",
            "0\r\n: y\r\n\r\n",
            "0\r\nxy\r\n\r\n",
            "0\r\nx: y\n\r\n",
            "0\r\nx: \0\r\n\r\n",
            "0\r\n\rX",
            &extension,
            &trailers,
        ] {
            assert!(at_once(body).is_err(), "{body:?}");
            assert!(byte_by_byte(body).is_err(), "{body:?}");
        }
    }
}
