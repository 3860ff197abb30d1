//! The frames of RFC 6455, for a server and without extensions.
//!
//! An idle socket holds no buffer. A text is validated while it arrives, and the size of a message
//! before it is read. Reading and writing can be cancelled at any time and continued.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};

use doyen_web::Transport;
use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};

/// Bytes that are read at once.
const READ_BYTES: usize = 4 << 10;

/// Maximum payload of a control frame.
const MAX_CONTROL_BYTES: usize = 125;

/// Maximum bytes that are discarded after the close frame.
const MAX_DISCARDED_BYTES: usize = 1 << 20;

/// Capacity above which an empty buffer is released.
const KEPT_BYTES: usize = 1 << 10;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What the peer has sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Text(String),
    Binary,
    Ping(Vec<u8>),
    Pong,
    /// The code, if there is one.
    Close(Option<u16>),
}

/// Why nothing more can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WireError {
    /// A violation of the protocol, with its close code.
    Violation(u16),
    /// The connection is closed.
    Gone,
}

const PROTOCOL: WireError = WireError::Violation(1002);
const NOT_UTF_8: WireError = WireError::Violation(1007);
const TOO_LARGE: WireError = WireError::Violation(1009);

impl From<io::Error> for WireError {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A connection that speaks frames.
pub(super) struct Wire {
    stream: Transport,
    decoder: Decoder,
    output: Vec<u8>,
    written: usize,
}

impl Wire {
    pub(super) fn new(stream: Transport, read: &[u8], max_bytes: usize) -> Self {
        Self {
            stream,
            decoder: Decoder::new(read, max_bytes),
            output: Vec::new(),
            written: 0,
        }
    }

    /// Waits for the next message or control frame.
    pub(super) async fn next(&mut self) -> Result<Received, WireError> {
        loop {
            if let Some(received) = self.decoder.advance()? {
                return Ok(received);
            }
            let input = &mut self.decoder.input;
            let read = read(&mut self.stream, |bytes| input.extend_from_slice(bytes));
            if read.await? == 0 {
                return Err(WireError::Gone);
            }
        }
    }

    /// Adds a text to what is written.
    pub(super) fn text(&mut self, text: &str) {
        self.frame(TEXT, text.as_bytes());
    }

    /// Adds a ping to what is written.
    pub(super) fn ping(&mut self) {
        self.frame(PING, &[]);
    }

    /// Adds a pong with this payload to what is written.
    pub(super) fn pong(&mut self, payload: &[u8]) {
        self.frame(PONG, payload);
    }

    /// Adds a close frame to what is written. Without a code it has no payload. A reason that is
    /// too long is cut.
    pub(super) fn close(&mut self, code: Option<u16>, reason: &str) {
        let mut payload = Vec::new();
        if let Some(code) = code {
            let end = reason.floor_char_boundary(MAX_CONTROL_BYTES - 2);
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(&reason.as_bytes()[..end]);
        }
        self.frame(CLOSE, &payload);
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let output = &mut self.output;
        output.push(0x80 | opcode);
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(length @ 0..126), _) => output.push(length),
            (_, Ok(length)) => {
                output.push(126);
                output.extend_from_slice(&length.to_be_bytes());
            }
            _ => {
                output.push(127);
                output.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        output.extend_from_slice(payload);
    }

    /// Writes everything.
    pub(super) async fn flush(&mut self) -> Result<(), WireError> {
        poll_fn(|cx| {
            while self.written < self.output.len() {
                let rest = &self.output[self.written..];
                match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    count => self.written += count,
                }
            }
            Pin::new(&mut self.stream).poll_flush(cx)
        })
        .await?;
        self.written = 0;
        clear(&mut self.output);
        Ok(())
    }
}

impl Wire {
    /// Closes the sending half, and discards what arrives until the peer closes. A socket that is
    /// closed with unread bytes would be reset, and the peer could lose the close frame.
    pub(super) async fn finish(&mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let mut left = MAX_DISCARDED_BYTES;
        while left > 0 {
            match read(&mut self.stream, |_| {}).await {
                Ok(0) | Err(_) => return,
                Ok(count) => left = left.saturating_sub(count),
            }
        }
    }
}

/// Reads once, and passes the bytes on. The buffer exists only while bytes are there. Returns their
/// number, which is 0 at the end of the stream.
async fn read(stream: &mut Transport, mut pass_on: impl FnMut(&[u8])) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut bytes);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut read))?;
        pass_on(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    })
    .await
}

/// Reads frames from bytes.
struct Decoder {
    input: Vec<u8>,
    max_bytes: usize,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// The payload of a control frame.
    control: Vec<u8>,
    /// The message whose fragments are being read: true for a text.
    message: Option<bool>,
    payload: Vec<u8>,
    /// Bytes of the payload that are valid UTF-8.
    valid: usize,
}

struct Frame {
    opcode: u8,
    is_last: bool,
    left: usize,
    mask: [u8; 4],
    /// Bytes that were unmasked.
    read: usize,
}

impl Decoder {
    fn new(read: &[u8], max_bytes: usize) -> Self {
        Self {
            input: read.to_vec(),
            max_bytes,
            frame: None,
            control: Vec::new(),
            message: None,
            payload: Vec::new(),
            valid: 0,
        }
    }

    /// Reads what is complete. Returns `None` if more bytes are needed.
    fn advance(&mut self) -> Result<Option<Received>, WireError> {
        loop {
            if self.frame.is_none() {
                match self.head()? {
                    Some(frame) => self.frame = Some(frame),
                    None => return Ok(None),
                }
            }
            let Some(mut frame) = self.frame.take() else {
                return Ok(None);
            };
            self.read(&mut frame)?;
            if frame.left > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(received) = self.end(&frame)? {
                return Ok(Some(received));
            }
        }
    }

    /// Reads and checks the head of a frame.
    fn head(&mut self) -> Result<Option<Frame>, WireError> {
        let &[first, second, ..] = self.input.as_slice() else {
            return Ok(None);
        };
        let (is_last, opcode) = (first & 0x80 != 0, first & 0x0f);
        // Reserved bits belong to extensions, and a client masks.
        if first & 0x70 != 0 || second & 0x80 == 0 {
            return Err(PROTOCOL);
        }
        let short = usize::from(second & 0x7f);
        match opcode {
            CLOSE | PING | PONG if is_last && short <= MAX_CONTROL_BYTES => {}
            CONTINUATION if self.message.is_some() => {}
            TEXT | BINARY if self.message.is_none() => {}
            _ => return Err(PROTOCOL),
        }
        let Some((length, size)) = length(short, &self.input[2..])? else {
            return Ok(None);
        };
        let is_control = opcode >= CLOSE;
        if !is_control && length > (self.max_bytes - self.payload.len()) as u64 {
            return Err(TOO_LARGE);
        }
        let at = 2 + size;
        let Some(mask) = self.input.get(at..at + 4) else {
            return Ok(None);
        };
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        self.input.drain(..at + 4);
        if matches!(opcode, TEXT | BINARY) {
            self.message = Some(opcode == TEXT);
        }
        Ok(Some(Frame {
            opcode,
            is_last,
            left: usize::try_from(length).map_err(|_| TOO_LARGE)?,
            mask,
            read: 0,
        }))
    }

    /// Reads the payload that has arrived.
    fn read(&mut self, frame: &mut Frame) -> Result<(), WireError> {
        let count = frame.left.min(self.input.len());
        let into = if frame.opcode >= CLOSE {
            &mut self.control
        } else {
            &mut self.payload
        };
        let masks = frame.mask.iter().cycle().skip(frame.read % 4);
        let bytes = self.input.drain(..count).zip(masks);
        into.extend(bytes.map(|(byte, mask)| byte ^ mask));
        frame.read += count;
        frame.left -= count;
        clear_if_empty(&mut self.input);
        if frame.opcode < CLOSE && self.message == Some(true) {
            self.validate()?;
        }
        Ok(())
    }

    /// Validates the text so far. A character that is cut off may continue.
    fn validate(&mut self) -> Result<(), WireError> {
        match std::str::from_utf8(&self.payload[self.valid..]) {
            Ok(_) => self.valid = self.payload.len(),
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => return Err(NOT_UTF_8),
        }
        Ok(())
    }

    /// Returns what a complete frame completes.
    fn end(&mut self, frame: &Frame) -> Result<Option<Received>, WireError> {
        if frame.opcode >= CLOSE {
            let payload = std::mem::take(&mut self.control);
            return Ok(Some(match frame.opcode {
                PING => Received::Ping(payload),
                PONG => Received::Pong,
                _ => Received::Close(close_code(&payload)?),
            }));
        }
        if !frame.is_last {
            return Ok(None);
        }
        let payload = std::mem::take(&mut self.payload);
        let valid = std::mem::take(&mut self.valid);
        match self.message.take() {
            Some(true) if valid == payload.len() => {
                let text = String::from_utf8(payload).map_err(|_| NOT_UTF_8)?;
                Ok(Some(Received::Text(text)))
            }
            Some(true) => Err(NOT_UTF_8),
            _ => Ok(Some(Received::Binary)),
        }
    }
}

/// Reads the length of a payload, and the number of bytes after the first two that it takes. It
/// must be written in the shortest form.
fn length(short: usize, rest: &[u8]) -> Result<Option<(u64, usize)>, WireError> {
    let (length, size, min) = match short {
        126 => {
            let Some(bytes) = rest.first_chunk() else {
                return Ok(None);
            };
            (u64::from(u16::from_be_bytes(*bytes)), 2, 126)
        }
        127 => {
            let Some(bytes) = rest.first_chunk() else {
                return Ok(None);
            };
            (u64::from_be_bytes(*bytes), 8, 65_536)
        }
        short => (short as u64, 0, 0),
    };
    if length < min || length >> 63 != 0 {
        return Err(PROTOCOL);
    }
    Ok(Some((length, size)))
}

/// Reads the payload of a close frame.
fn close_code(payload: &[u8]) -> Result<Option<u16>, WireError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() {
            Ok(None)
        } else {
            Err(PROTOCOL)
        };
    };
    let code = u16::from_be_bytes(*code);
    // RFC 6455 section 7.4, and the codes that were registered since.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(PROTOCOL);
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(NOT_UTF_8);
    }
    Ok(Some(code))
}

fn clear_if_empty(buffer: &mut Vec<u8>) {
    if buffer.is_empty() {
        clear(buffer);
    }
}

/// Empties a buffer, and releases it if it is large.
fn clear(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT_BYTES {
        *buffer = Vec::new();
    } else {
        buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], piece: usize) -> Result<Vec<Received>, WireError> {
        let mut decoder = Decoder::new(&[], 100);
        let mut received = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.input.extend_from_slice(piece);
            while let Some(one) = decoder.advance()? {
                received.push(one);
            }
        }
        Ok(received)
    }

    #[test]
    fn frames_are_read_however_their_bytes_arrive() {
        // "Hello" masked, as in the RFC, a fragmented one with a ping inside, and a close frame.
        let mut bytes = vec![
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        bytes.extend([0x01, 0x83, 0, 0, 0, 0, b'H', b'e', 0xc3]);
        bytes.extend([0x89, 0x81, 1, 0, 0, 0, 0x06]);
        bytes.extend([0x80, 0x81, 0, 0, 0, 0, 0xa9]);
        bytes.extend([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
        for piece in 1..=bytes.len() {
            let expected = vec![
                Received::Text("Hello".to_owned()),
                Received::Ping(vec![7]),
                Received::Text("Heé".to_owned()),
                Received::Close(Some(1000)),
            ];
            assert_eq!(all(&bytes, piece), Ok(expected), "{piece}");
        }
    }

    #[test]
    fn a_length_has_one_form() {
        let long = [0x81, 0xfe, 0, 5, 0, 0, 0, 0];
        assert_eq!(all(&long, 8), Err(PROTOCOL));
        let longer = [0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0];
        assert_eq!(all(&longer, 14), Err(PROTOCOL));
        let huge = [0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0];
        assert_eq!(all(&huge, 14), Err(PROTOCOL));
        let above = [0x81, 0xe5, 0, 0, 0, 0];
        assert_eq!(all(&above, 6), Err(TOO_LARGE));
    }
}
