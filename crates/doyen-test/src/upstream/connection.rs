//! One connection: requests in, replies and faults out.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use doyen::domain::sync::lock;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::State;
use super::reply::{Fault, Reply};

/// Maximum size of a request body.
const MAX_BODY: usize = 16 << 20;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method.
    pub method: String,
    /// Path and query string.
    pub target: String,
    /// Headers in their order, with names in small letters.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Received {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|header| header.0 == name);
        found.map(|header| header.1.as_str())
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body is not JSON: {error}"))
    }
}

/// A client that disconnects ends the connection, and no error is of interest.
pub(super) fn serve(state: &State, stream: TcpStream, tls: Option<Arc<ServerConfig>>) {
    let Ok(socket) = stream.try_clone() else {
        return;
    };
    let _ = match tls {
        Some(config) => match ServerConnection::new(config) {
            Ok(connection) => exchange(state, &socket, StreamOwned::new(connection, stream)),
            Err(_) => return,
        },
        None => exchange(state, &socket, stream),
    };
    let _ = socket.shutdown(Shutdown::Both);
}

fn exchange(state: &State, socket: &TcpStream, stream: impl Read + Write) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream)? {
        let is_head = request.method == "HEAD";
        lock(&state.received).push(request);
        let reply = state.next_reply();
        if reply.is_held {
            state.wait_for_release();
        }
        if reply.delay > Duration::ZERO {
            pause(reply.delay);
        }
        if !write(socket, stream.get_mut(), &reply, is_head)? {
            if matches!(reply.fault, Fault::Stall) {
                state.wait_for_release();
            }
            return Ok(());
        }
    }
    Ok(())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the connection has a thread of its own"
)]
fn pause(delay: Duration) {
    std::thread::sleep(delay);
}

/// Reads a request; `None` at the end of the connection.
fn read(stream: &mut BufReader<impl Read>) -> io::Result<Option<Received>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut next = || words.next().unwrap_or_default();
    let (method, target) = (next(), next());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Received {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length").unwrap_or("0").parse();
    request.body = vec![0; length.unwrap_or(0).min(MAX_BODY)];
    stream.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// Writes a reply. Returns false if the connection ends with it.
fn write(
    socket: &TcpStream,
    stream: &mut impl Write,
    reply: &Reply,
    is_head: bool,
) -> io::Result<bool> {
    let Reply { status, body, .. } = reply;
    let (mut length, mut part) = (body.len(), &**body);
    match &reply.fault {
        Fault::None => {}
        Fault::Reset => {
            // Without lingering, closing resets the connection.
            socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO))?;
            return Ok(false);
        }
        Fault::Garbage(bytes) => {
            stream.write_all(bytes)?;
            stream.flush()?;
            return Ok(false);
        }
        Fault::HalfBody | Fault::Stall => part = &body[..body.len() / 2],
        Fault::Length(announced) => length = *announced,
    }
    let mut head = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if *status != 204 && *status != 304 {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if !is_head {
        stream.write_all(part)?;
    }
    stream.flush()?;
    Ok(matches!(reply.fault, Fault::None))
}
