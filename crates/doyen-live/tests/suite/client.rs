//! Clients that speak the bytes of the protocols.

use std::time::Duration;

use doyen_test::Live as Server;
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A wait that must end long before.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// A client of server-sent events.
pub(crate) struct EventSource {
    pub(crate) head: String,
    stream: TcpStream,
    buffer: String,
}

/// A block of a stream: its fields, or a comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block(pub(crate) String);

impl Block {
    /// Returns a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.0.lines().find_map(|line| line.strip_prefix(&prefix))
    }
}

impl EventSource {
    /// Opens a stream with these headers.
    pub(crate) async fn open(server: &Server, path: &str, headers: &str) -> Self {
        Self::on(server.connect().await, path, headers).await
    }

    /// Opens a stream on a connection.
    pub(crate) async fn on(mut stream: TcpStream, path: &str, headers: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut source = Self {
            head: String::new(),
            stream,
            buffer: String::new(),
        };
        source.head = source.until("\r\n\r\n").await.unwrap_or_default();
        source
    }

    /// Reads up to this text. Returns `None` at the end.
    async fn until(&mut self, end: &str) -> Option<String> {
        let reading = async {
            loop {
                if let Some(at) = self.buffer.find(end) {
                    let rest = self.buffer.split_off(at + end.len());
                    return Some(std::mem::replace(&mut self.buffer, rest));
                }
                let mut bytes = [0; 4096];
                match self.stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => return None,
                    Ok(count) => self
                        .buffer
                        .push_str(&String::from_utf8_lossy(&bytes[..count])),
                }
            }
        };
        tokio::time::timeout(HANG, reading).await.expect("a block")
    }

    /// Returns the next block. Chunk sizes of HTTP/1.1 are left out. `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Block> {
        let size = self.until("\r\n").await?;
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
        let reading = async {
            while self.buffer.len() < size + 2 {
                let mut bytes = [0; 4096];
                let count = self.stream.read(&mut bytes).await.unwrap_or(0);
                if count == 0 {
                    return None;
                }
                self.buffer
                    .push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
            Some(())
        };
        tokio::time::timeout(HANG, reading)
            .await
            .expect("a chunk")?;
        let rest = self.buffer.split_off(size + 2);
        let mut chunk = std::mem::replace(&mut self.buffer, rest);
        chunk.truncate(size);
        (size > 0).then_some(Block(chunk))
    }

    /// Returns the next event, without comments.
    pub(crate) async fn event(&mut self) -> Option<Block> {
        loop {
            let block = self.next().await?;
            if block.field("event").is_some() {
                return Some(block);
            }
        }
    }

    /// Returns everything up to the end.
    pub(crate) async fn rest(&mut self) -> String {
        let mut all = String::new();
        while let Some(block) = self.next().await {
            all.push_str(&block.0);
        }
        all
    }
}

/// A frame of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

impl Frame {
    /// Returns the code and the reason of a close frame.
    pub(crate) fn close(&self) -> (u16, String) {
        assert_eq!(self.opcode, CLOSE, "{self:?}");
        let code = u16::from_be_bytes([self.payload[0], self.payload[1]]);
        (
            code,
            String::from_utf8_lossy(&self.payload[2..]).into_owned(),
        )
    }
}

/// A client that writes the frames of RFC 6455 itself.
pub(crate) struct RawSocket {
    pub(crate) head: String,
    pub(crate) stream: TcpStream,
}

impl RawSocket {
    /// Sends a handshake with these headers, and reads the head of the response.
    pub(crate) async fn handshake(server: &Server, path: &str, headers: &str) -> Self {
        Self::on(server.connect().await, path, headers).await
    }

    /// Sends a handshake on a connection.
    pub(crate) async fn on(mut stream: TcpStream, path: &str, headers: &str) -> Self {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        let reading = async {
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
        };
        tokio::time::timeout(HANG, reading)
            .await
            .expect("a response");
        let head = String::from_utf8_lossy(&head).into_owned();
        Self { head, stream }
    }

    /// Returns the status of the response.
    pub(crate) fn status(&self) -> u16 {
        self.head
            .split(' ')
            .nth(1)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// Sends a frame: `first` is the first byte, with FIN and reserved bits.
    pub(crate) async fn frame(&mut self, first: u8, payload: &[u8]) {
        self.bytes(&encode(first, payload, true)).await;
    }

    /// Sends bytes. A server that has closed does not read them.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Sends a text message.
    pub(crate) async fn text(&mut self, text: &str) {
        self.frame(0x80 | TEXT, text.as_bytes()).await;
    }

    /// Sends a message as JSON.
    pub(crate) async fn send(&mut self, message: Json) {
        self.text(&message.to_string()).await;
    }

    /// Reads a frame. Returns `None` at the end.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        let reading = async {
            let first = self.stream.read_u8().await.ok()?;
            let second = self.stream.read_u8().await.ok()?;
            assert_eq!(second & 0x80, 0, "a server does not mask");
            assert_eq!(first & 0x70, 0, "no extension was agreed on");
            let length = match second {
                126 => u64::from(self.stream.read_u16().await.ok()?),
                127 => self.stream.read_u64().await.ok()?,
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some(Frame {
                fin: first & 0x80 != 0,
                opcode: first & 0x0f,
                payload,
            })
        };
        tokio::time::timeout(HANG, reading).await.expect("a frame")
    }

    /// Reads the next message, without pings.
    pub(crate) async fn message(&mut self) -> Json {
        loop {
            let frame = self.read().await.expect("the socket is open");
            match frame.opcode {
                TEXT => return serde_json::from_slice(&frame.payload).unwrap(),
                PING => self.frame(0x80 | PONG, &frame.payload).await,
                PONG => {}
                _ => panic!("{:?}", frame.close()),
            }
        }
    }

    /// Reads the next message of a type, and skips others.
    pub(crate) async fn message_of(&mut self, kind: &str) -> Json {
        loop {
            let message = self.message().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Reads up to the close frame, and returns its code and reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            let frame = self.read().await.expect("a close frame");
            if frame.opcode == CLOSE {
                return frame.close();
            }
        }
    }
}

/// Writes a frame.
pub(crate) fn encode(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mut bytes = vec![first];
    let mask_bit = if masked { 0x80 } else { 0 };
    match payload.len() {
        short @ 0..126 => bytes.push(mask_bit | u8::try_from(short).unwrap()),
        middle @ 126..65536 => {
            bytes.push(mask_bit | 126);
            bytes.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(mask_bit | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    if masked {
        let mask = [7, 21, 3, 200];
        bytes.extend(mask);
        bytes.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
    } else {
        bytes.extend(payload);
    }
    bytes
}
