//! A body in chunks (RFC 9112 section 7.1), read only as far as to know where it ends.
//!
//! Narrower than the parser behind it: a size is hexadecimal digits and nothing besides, every line ends with CR and LF, and what may stand
//! beside the sizes and after the last chunk is short. What is read two ways by two servers is how one request hides in another.

/// How long the extensions of one chunk may be. Nobody is known to use any.
const EXTENSION: usize = 256;

/// How long the trailer fields may be together. They are read and forgotten.
const TRAILERS: usize = 8 << 10;

/// Where in the body we are.
#[derive(Debug)]
pub(super) struct Chunks {
    at: At,
    /// What is left of this chunk, or its size as far as it is read.
    left: u64,
    /// Bytes of the present extension, or of all trailer fields.
    aside: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Size {
        digits: u8,
    },
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// The first byte of a line after the last chunk.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self {
            at: At::Size { digits: 0 },
            left: 0,
            aside: 0,
        }
    }

    /// Reads on: how many of these bytes belong to the body, and whether it is over.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Result<(usize, bool), &'static str> {
        let mut used = 0;
        while let Some(byte) = bytes.get(used).copied() {
            if self.at == At::Data {
                let here = (bytes.len() - used) as u64;
                let taken = here.min(self.left);
                self.left -= taken;
                // No more than `here`, which came from a length.
                used += usize::try_from(taken).unwrap_or(usize::MAX);
                if self.left == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            used += 1;
            if self.at == At::LastLf {
                return lf(byte).map(|()| (used, true));
            }
            self.at = self.next(byte)?;
        }
        Ok((used, false))
    }

    fn next(&mut self, byte: u8) -> Result<At, &'static str> {
        match self.at {
            At::Size { digits } => self.size(digits, byte),
            At::Extension if byte == b'\r' => Ok(At::SizeLf),
            At::Extension => self.skip(byte, EXTENSION).map(|()| At::Extension),
            At::SizeLf => {
                lf(byte)?;
                self.aside = 0;
                Ok(if self.left == 0 {
                    At::Trailer
                } else {
                    At::Data
                })
            }
            At::DataCr if byte == b'\r' => Ok(At::DataLf),
            At::DataLf => lf(byte).map(|()| At::Size { digits: 0 }),
            At::Trailer if byte == b'\r' => Ok(At::LastLf),
            At::Trailer | At::TrailerName => {
                self.skip(byte, TRAILERS)?;
                match byte {
                    b':' if self.at == At::TrailerName => Ok(At::TrailerValue),
                    _ if super::head::is_token(byte) => Ok(At::TrailerName),
                    _ => Err("a trailer field is not well-formed"),
                }
            }
            At::TrailerValue if byte == b'\r' => Ok(At::TrailerLf),
            At::TrailerValue => self.skip(byte, TRAILERS).map(|()| At::TrailerValue),
            At::TrailerLf => lf(byte).map(|()| At::Trailer),
            At::Data | At::DataCr | At::LastLf => Err("a chunk is longer than its size"),
        }
    }

    fn size(&mut self, digits: u8, byte: u8) -> Result<At, &'static str> {
        let digit = char::from(byte).to_digit(16);
        match (digit, byte) {
            // Fifteen digits leave room in 64 bits for sums.
            (Some(digit), _) if digits < 15 => {
                self.left = self.left << 4 | u64::from(digit);
                Ok(At::Size { digits: digits + 1 })
            }
            (Some(_), _) => Err("the size of a chunk is too large"),
            (None, b'\r') if digits > 0 => Ok(At::SizeLf),
            (None, b';') if digits > 0 => Ok(At::Extension),
            _ => Err("the size of a chunk is not hexadecimal digits"),
        }
    }

    fn skip(&mut self, byte: u8, limit: usize) -> Result<(), &'static str> {
        self.aside += 1;
        if self.aside > limit {
            return Err("more stands beside the chunks than is read");
        }
        match byte {
            b'\t' => Ok(()),
            0..=0x1f | 0x7f => Err("a control character stands beside the chunks"),
            _ => Ok(()),
        }
    }
}

fn lf(byte: u8) -> Result<(), &'static str> {
    if byte == b'\n' {
        return Ok(());
    }
    Err("a line of the chunks does not end with CR and LF")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<(usize, bool), &'static str> {
        Chunks::new().look(text.as_bytes())
    }

    /// The same, a byte at a time.
    fn dribbled(text: &str) -> Result<(usize, bool), &'static str> {
        let mut chunks = Chunks::new();
        for (at, byte) in text.bytes().enumerate() {
            let (used, done) = chunks.look(&[byte])?;
            assert_eq!(used, 1);
            if done {
                return Ok((at + 1, true));
            }
        }
        Ok((text.len(), false))
    }

    #[test]
    fn a_body_ends_where_it_ends() {
        for body in [
            "0\r\n\r\n",
            "000\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
            "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n",
            "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
            "0\r\nx-checksum: abc\r\nhost: elsewhere\r\n\r\n",
        ] {
            for read in [whole, dribbled] {
                assert_eq!(read(body), Ok((body.len(), true)), "{body:?}");
                let more = format!("{body}GET / HTTP/1.1\r\n");
                assert_eq!(read(&more), Ok((body.len(), true)), "{more:?}");
                let less = &body[..body.len() - 1];
                assert_eq!(read(less), Ok((less.len(), false)), "{less:?}");
            }
        }
    }

    #[test]
    fn what_can_be_read_two_ways_is_refused() {
        let extension = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(EXTENSION + 1));
        let trailers = format!("0\r\n{}\r\n", "x: y\r\n".repeat(TRAILERS / 3));
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
            assert!(whole(body).is_err(), "{body:?}");
            assert!(dribbled(body).is_err(), "{body:?}");
        }
    }
}
