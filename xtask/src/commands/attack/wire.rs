//! Bytes to the server and bytes back, with nothing in between that would make a bad request good.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// More of a body than this is not kept.
const LONGEST: usize = 4 << 20;

/// What came back. Status 0 is: nothing that is an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) took: Duration,
}

impl Reply {
    /// The first field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null where it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A text of the body, by JSON Pointer.
    pub(super) fn at(&self, pointer: &str) -> String {
        let json = self.json();
        let text = json.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Refused, and told so: 4xx.
    pub(super) fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status)
    }

    /// Status and the beginning of the body, for a report.
    pub(super) fn brief(&self) -> String {
        let text: String = self.text().chars().take(120).collect();
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        match self.status {
            0 => "no answer".into(),
            status if text.is_empty() => status.to_string(),
            status => format!("{status} {text}"),
        }
    }
}

/// A connection that stays open.
pub(super) struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    pub(super) fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let reader = BufReader::new(stream);
        Ok(Self { reader })
    }

    /// How long a read waits from now on.
    pub(super) fn patience(&self, time: Duration) -> io::Result<()> {
        self.reader.get_ref().set_read_timeout(Some(time))
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Whether the server has closed, or closes within the patience, without another byte.
    pub(super) fn is_closed(&mut self) -> bool {
        match self.reader.fill_buf() {
            Ok(rest) => rest.is_empty(),
            Err(error) => !matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ),
        }
    }

    /// The next answer. `head` is true when the request was one that gets no body.
    pub(super) fn receive(&mut self, head: bool) -> io::Result<Reply> {
        let started = Instant::now();
        loop {
            let mut reply = self.head()?;
            if (100..200).contains(&reply.status) && reply.status != 101 {
                continue;
            }
            let bodiless = head || matches!(reply.status, 101 | 204 | 304);
            if !bodiless {
                reply.body = self.body(&reply)?;
            }
            reply.took = started.elapsed();
            return Ok(reply);
        }
    }

    fn head(&mut self) -> io::Result<Reply> {
        let line = self.line()?;
        let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        let status = status.and_then(|digits| digits.parse().ok());
        let status = status.ok_or_else(|| bad("no status line"))?;
        let mut reply = Reply {
            status,
            ..Reply::default()
        };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(reply);
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| bad("a field without a colon"))?;
            reply
                .fields
                .push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn body(&mut self, reply: &Reply) -> io::Result<Vec<u8>> {
        let chunked = reply
            .field("transfer-encoding")
            .is_some_and(|coding| coding.ends_with("chunked"));
        let mut body = Vec::new();
        if chunked {
            loop {
                let line = self.line()?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).map_err(|_| bad("no chunk size"))?;
                self.take(size, &mut body)?;
                self.line()?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        match reply.field("content-length").map(str::parse) {
            Some(Ok(length)) => self.take(length, &mut body)?,
            Some(Err(_)) => return Err(bad("no length")),
            None => {
                _ = (&mut self.reader)
                    .take(LONGEST as u64)
                    .read_to_end(&mut body)?
            }
        }
        Ok(body)
    }

    fn take(&mut self, size: usize, body: &mut Vec<u8>) -> io::Result<()> {
        if body.len().saturating_add(size) > LONGEST {
            return Err(bad("a longer body than this client keeps"));
        }
        let start = body.len();
        body.resize(start + size, 0);
        self.reader.read_exact(&mut body[start..])
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.reader)
            .take(64 << 10)
            .read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// Sends bytes on a connection of their own, and gives back every answer that comes and whether the server closed after them.
pub(super) fn talk(server: SocketAddr, bytes: &[u8], patience: Duration) -> (Vec<Reply>, bool) {
    let mut replies = Vec::new();
    let Ok(mut wire) = Wire::open(server) else {
        return (replies, false);
    };
    // A server that refuses early may close before it has read all.
    let _ = wire.send(bytes);
    let _ = wire.patience(patience);
    loop {
        match wire.receive(false) {
            Ok(reply) => replies.push(reply),
            Err(error) => {
                let waits = matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                );
                return (replies, !waits);
            }
        }
    }
}

fn bad(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn answering(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut some = [0; 64];
            let _ = stream.read(&mut some).unwrap();
            stream.write_all(bytes).unwrap();
        });
        address
    }

    #[test]
    fn two_answers_on_one_connection_are_told_apart() {
        let server = answering(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}",
        );
        let (replies, closed) = talk(server, b"GET / HTTP/1.1\r\n\r\n", PATIENCE);
        let got: Vec<_> = replies
            .iter()
            .map(|reply| (reply.status, reply.text()))
            .collect();
        assert_eq!(got, [(200, "abc".to_owned()), (404, "{}".to_owned())]);
        assert!(closed);
    }

    #[test]
    fn a_break_in_the_middle_is_no_answer() {
        let server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        let (replies, closed) = talk(server, b"GET / HTTP/1.1\r\n\r\n", PATIENCE);
        assert!(replies.is_empty() && closed);
    }
}
