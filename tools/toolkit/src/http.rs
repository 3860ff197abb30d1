//! A blocking HTTP/1.1 client without TLS. It sends the bytes it is given, so that a test can send
//! malformed requests.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Timeout of connecting, and of each read and write.
pub const TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum size of a response body. A larger one is an error.
const MAX_BODY_BYTES: usize = 4 << 20;
/// Maximum length of a line of a response head.
const MAX_LINE_BYTES: u64 = 64 << 10;

/// A response. A status of 0 stands for a missing or malformed response.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers in the order received.
    pub headers: Vec<(String, String)>,
    /// Body, without a transfer coding.
    pub body: Vec<u8>,
    /// Time from the start of the read to the end of the body.
    pub took: Duration,
}

impl Response {
    /// Returns the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON, or null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the string at this JSON Pointer of the body, or an empty string.
    pub fn at(&self, pointer: &str) -> String {
        let json = self.json();
        let text = json.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    /// Returns true for a status from 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns true for a status from 400 to 499.
    pub fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status)
    }

    /// Returns the status and the beginning of the body, for a report.
    pub fn summary(&self) -> String {
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

/// A connection that can carry several requests.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to the server.
    ///
    /// # Errors
    ///
    /// Returns an error if the server does not accept the connection within [`TIMEOUT`].
    pub fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let reader = BufReader::new(stream);
        Ok(Self { reader })
    }

    /// Sets the timeout of further reads.
    ///
    /// # Errors
    ///
    /// Returns an error if the timeout is zero.
    pub fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.reader.get_ref().set_read_timeout(Some(timeout))
    }

    /// Sends bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the server has closed the connection or does not read in time.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Returns true if the server closes the connection within the timeout, without another byte.
    pub fn is_closed(&mut self) -> bool {
        match self.reader.fill_buf() {
            Ok(rest) => rest.is_empty(),
            Err(error) => !matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ),
        }
    }

    /// Receives the next final response. `head` is true for a response to a HEAD request.
    ///
    /// # Errors
    ///
    /// Returns an error if the response is malformed, too large or late.
    pub fn receive(&mut self, head: bool) -> io::Result<Response> {
        let started = Instant::now();
        loop {
            let mut response = self.head()?;
            if (100..200).contains(&response.status) && response.status != 101 {
                continue;
            }
            let bodiless = head || matches!(response.status, 101 | 204 | 304);
            if !bodiless {
                response.body = self.body(&response)?;
            }
            response.took = started.elapsed();
            return Ok(response);
        }
    }

    fn head(&mut self) -> io::Result<Response> {
        let line = self.line()?;
        let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        let status = status.and_then(|digits| digits.parse().ok());
        let status = status.ok_or_else(|| malformed("the response has no status line"))?;
        let mut response = Response {
            status,
            ..Response::default()
        };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(response);
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| malformed("a header has no colon"))?;
            response
                .headers
                .push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn body(&mut self, response: &Response) -> io::Result<Vec<u8>> {
        let chunked = response
            .header("transfer-encoding")
            .is_some_and(|coding| coding.ends_with("chunked"));
        let mut body = Vec::new();
        if chunked {
            loop {
                let line = self.line()?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16)
                    .map_err(|_| malformed("a chunk has no size"))?;
                self.take(size, &mut body)?;
                self.line()?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        match response.header("content-length").map(str::parse) {
            Some(Ok(length)) => self.take(length, &mut body)?,
            Some(Err(_)) => return Err(malformed("the content length is not a number")),
            None => {
                _ = (&mut self.reader)
                    .take(MAX_BODY_BYTES as u64)
                    .read_to_end(&mut body)?
            }
        }
        Ok(body)
    }

    fn take(&mut self, size: usize, body: &mut Vec<u8>) -> io::Result<()> {
        if body.len().saturating_add(size) > MAX_BODY_BYTES {
            return Err(malformed("the body is larger than 4 MiB"));
        }
        let start = body.len();
        body.resize(start + size, 0);
        self.reader.read_exact(&mut body[start..])
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.reader)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// Encodes a request. Nothing is escaped.
pub fn encode(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes
}

/// Sends one request on a new connection and receives its response.
///
/// # Errors
///
/// Returns an error if the server is not reachable, or if the response is malformed or late.
pub fn exchange(server: SocketAddr, request: &[u8]) -> io::Result<Response> {
    let mut connection = Connection::open(server)?;
    connection.send(request)?;
    connection.receive(request.starts_with(b"HEAD "))
}

/// Sends a GET request.
///
/// # Errors
///
/// As [`exchange`].
pub fn get(server: SocketAddr, path: &str) -> io::Result<Response> {
    let host = server.to_string();
    exchange(server, &encode("GET", path, &[("Host", &host)], None))
}

/// Sends a POST request with a JSON body.
///
/// # Errors
///
/// As [`exchange`].
pub fn post_json(server: SocketAddr, path: &str, body: &Value) -> io::Result<Response> {
    let host = server.to_string();
    let headers = [
        ("Host", host.as_str()),
        ("Content-Type", "application/json"),
    ];
    let body = body.to_string();
    exchange(
        server,
        &encode("POST", path, &headers, Some(body.as_bytes())),
    )
}

/// Sends bytes on a new connection. Returns every response, and whether the server closed the
/// connection after the last one.
pub fn exchange_all(server: SocketAddr, bytes: &[u8], timeout: Duration) -> (Vec<Response>, bool) {
    let mut responses = Vec::new();
    let Ok(mut connection) = Connection::open(server) else {
        return (responses, false);
    };
    // A server that rejects early may close the connection before it has read everything.
    let _ = connection.send(bytes);
    let _ = connection.set_timeout(timeout);
    loop {
        match connection.receive(false) {
            Ok(response) => responses.push(response),
            Err(error) => {
                let waits = matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                );
                return (responses, !waits);
            }
        }
    }
}

fn malformed(why: &'static str) -> io::Error {
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
    fn two_responses_on_one_connection_are_separated() {
        let server = answering(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}",
        );
        let (responses, closed) = exchange_all(server, b"GET / HTTP/1.1\r\n\r\n", TIMEOUT);
        let got: Vec<_> = responses
            .iter()
            .map(|response| (response.status, response.text()))
            .collect();
        assert_eq!(got, [(200, "abc".to_owned()), (404, "{}".to_owned())]);
        assert!(closed);
    }

    #[test]
    fn the_length_of_a_body_is_announced() {
        let bytes = encode("POST", "/x", &[("Host", "h")], Some(b"{}"));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(
            text,
            "POST /x HTTP/1.1\r\nConnection: close\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
        );
        let text = String::from_utf8(encode("GET", "/", &[], None)).unwrap();
        assert_eq!(text, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    }

    #[test]
    fn a_response_has_status_headers_and_body() {
        let server = answering(
            b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\ncontent-type: text/plain; a=b:c\r\n\r\n{}",
        );
        let response = exchange(server, b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((response.status, response.text().as_str()), (201, "{}"));
        assert_eq!(response.header("Content-Type"), Some("text/plain; a=b:c"));
    }

    #[test]
    fn a_malformed_head_is_an_error() {
        for bytes in [
            &b""[..],
            b"HTTP/1.1 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            assert!(exchange(answering(bytes), b"GET / HTTP/1.1\r\n\r\n").is_err());
        }
    }

    #[test]
    fn a_truncated_body_is_not_a_response() {
        let server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        let (responses, closed) = exchange_all(server, b"GET / HTTP/1.1\r\n\r\n", TIMEOUT);
        assert!(responses.is_empty() && closed);
    }
}
