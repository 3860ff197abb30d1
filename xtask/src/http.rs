//! Just enough HTTP/1.1 to wait for a server on this machine and to log in: one request, one connection.
//!
//! Not a client for anything else: no TLS, no redirects, no chunked answers (it says so when it meets one).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::{Failure, Result};

const PATIENCE: Duration = Duration::from_secs(10);

/// An answer. The content type is empty where none is said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

pub(crate) fn get(server: SocketAddr, path: &str) -> Result<Answer> {
    exchange(
        server,
        &format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n"),
    )
}

pub(crate) fn post_json(server: SocketAddr, path: &str, body: &str) -> Result<Answer> {
    let length = body.len();
    exchange(
        server,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ),
    )
}

/// Sends this text and reads to the end: it must say `Connection: close`.
pub(crate) fn exchange(server: SocketAddr, request: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> Result<Answer> {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| Failure::new("the answer has no end of headers"))?;
    if head.to_ascii_lowercase().contains("\r\ntransfer-encoding:") {
        return Err(Failure::new(
            "the answer is chunked, which this small client does not read",
        ));
    }
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Failure::new("the answer has no status"))?;
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let content_type = fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.trim().to_owned())
        .collect();
    Ok(Answer {
        status,
        content_type,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_and_body() {
        let answer = parse("HTTP/1.1 201 Created\r\nContent-Length: 2\r\ncontent-type: text/plain; a=b:c\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (201, "{}"));
        assert_eq!(answer.content_type, "text/plain; a=b:c");
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert!(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}").is_err());
        assert!(parse("").is_err());
        assert!(parse("HTTP/1.1 OK\r\n\r\n").is_err());
    }
}
