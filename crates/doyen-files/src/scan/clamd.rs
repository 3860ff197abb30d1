//! The daemon of ClamAV: `INSTREAM` over TCP or a Unix socket.
//!
//! Connections are sessions (`IDSESSION`) that are kept for the next scan. clamd numbers the
//! commands of a session and its replies, so that a reply cannot be taken for that of another file.
//! A scan that fails in a kept session is repeated in a new one: clamd may have been restarted.
//!
//! clamd stops reading a stream above `StreamMaxLength`, sends its reply and resets the connection,
//! so a failed write is followed by a read of the reply. A stopped clamd still accepts connections:
//! each step has a timeout.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use doyen_core::sync::lock;
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::store::Object;

use super::{ScanError, Scanner, Verdict};

/// Time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time after which a kept session is not used again. clamd closes one after 30 seconds.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes in one chunk of a stream.
const MAX_CHUNK_BYTES: usize = 64 << 10;

/// Maximum length of a reply.
const MAX_REPLY_BYTES: u64 = 4 << 10;

/// Names of findings that mean "not scanned as a whole", with `AlertExceedsMax`.
const LIMITS_EXCEEDED: &str = "Heuristics.Limits.Exceeded";

/// An adapter for clamd.
#[derive(Clone)]
pub struct Clamd {
    address: Address,
    timeout: Duration,
    max_bytes: u64,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Session>>>,
}

impl fmt::Debug for Clamd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clamd")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Clamd {
    /// Creates the adapter, which does not connect yet. The address is `unix:/path`, `host:port` or
    /// `tcp://host:port`. The other values are those of the settings `files.scan_timeout`,
    /// `files.scan_max_bytes` and `files.max_scans`.
    ///
    /// # Errors
    ///
    /// Returns what the address must be.
    pub fn new(
        address: &str,
        timeout: Duration,
        max_bytes: u64,
        max_scans: u32,
    ) -> Result<Self, String> {
        Ok(Self {
            address: Address::parse(address)?,
            timeout,
            max_bytes,
            places: Arc::new(Semaphore::new(max_scans as usize)),
            idle: Arc::default(),
        })
    }

    async fn connect(&self) -> Result<Box<dyn Socket>, ScanError> {
        let connecting = async {
            Ok::<Box<dyn Socket>, io::Error>(match &self.address {
                Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
                Address::Tcp(address) => {
                    let stream = TcpStream::connect(address.as_str()).await?;
                    stream.set_nodelay(true)?;
                    Box::new(stream)
                }
            })
        };
        within(self.timeout.min(CONNECT_TIMEOUT), connecting).await
    }

    async fn begin_session(&self) -> Result<Session, ScanError> {
        let mut socket = self.connect().await?;
        within(self.timeout, socket.write_all(b"zIDSESSION\0")).await?;
        Ok(Session {
            socket,
            commands: 0,
            used: Instant::now(),
        })
    }

    /// Returns a session that clamd has not closed yet, in all likelihood.
    fn kept_session(&self) -> Option<Session> {
        let mut idle = lock(&self.idle);
        idle.retain(|session| session.used.elapsed() < IDLE_TIMEOUT);
        idle.pop()
    }

    /// Scans in a session, which is kept if clamd gives a verdict.
    async fn scan_in(
        &self,
        mut session: Session,
        content: &dyn Object,
    ) -> Result<Verdict, ScanError> {
        session.commands += 1;
        let begun = within(self.timeout, session.socket.write_all(b"zINSTREAM\0"));
        begun.await?;
        let mut chunks = content.read(0..content.length());
        while let Some(bytes) = chunks.next().await {
            for chunk in bytes?.chunks(MAX_CHUNK_BYTES) {
                session.send(chunk, self.timeout).await?;
            }
        }
        // A chunk without bytes is the end.
        session.send(&[], self.timeout).await?;
        let verdict = session.verdict(self.timeout).await?;
        session.used = Instant::now();
        lock(&self.idle).push(session);
        Ok(verdict)
    }
}

/// A connection for several scans.
struct Session {
    socket: Box<dyn Socket>,
    /// Commands so far: the number of the last one.
    commands: u64,
    used: Instant,
}

impl Session {
    /// Sends one chunk of a stream.
    async fn send(&mut self, bytes: &[u8], limit: Duration) -> Result<(), ScanError> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let socket = &mut self.socket;
        let sent = within(limit, async {
            socket.write_all(&length.to_be_bytes()).await?;
            socket.write_all(bytes).await?;
            socket.flush().await
        });
        match sent.await {
            // What clamd says about a stream that it stopped reading explains more than the write.
            Err(ScanError::Unavailable(error)) if error.kind() != io::ErrorKind::TimedOut => {
                match self.verdict(limit).await {
                    Err(ScanError::TooLarge) => Err(ScanError::TooLarge),
                    _ => Err(error.into()),
                }
            }
            sent => sent,
        }
    }

    /// Reads the verdict of the last command.
    async fn verdict(&mut self, limit: Duration) -> Result<Verdict, ScanError> {
        let reply = read_reply(&mut *self.socket, limit).await?;
        match reply.split_once(": ") {
            Some((number, reply)) if *number == self.commands.to_string() => verdict(reply),
            _ => Err(unexpected(&reply)),
        }
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str =
            "must be `unix:/path/of/the/socket` or `host:port`, such as `127.0.0.1:3310`";
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let is_path = path.starts_with('/');
            return is_path
                .then(|| Address::Unix(path.into()))
                .ok_or_else(|| SHAPE.to_owned());
        }
        if text.starts_with('/') {
            return Ok(Address::Unix(text.into()));
        }
        let address = text.strip_prefix("tcp://").unwrap_or(text);
        let (host, port) = address.rsplit_once(':').ok_or(SHAPE)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(SHAPE.to_owned());
        }
        Ok(Address::Tcp(address.to_owned()))
    }
}

/// Runs I/O with a timeout.
async fn within<T>(
    limit: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, ScanError> {
    match timeout(limit, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

#[async_trait]
impl Scanner for Clamd {
    async fn scan(&self, content: &dyn Object) -> Result<Verdict, ScanError> {
        let place = async { self.places.acquire().await.map_err(io::Error::other) };
        let _place = within(self.timeout, place).await?;
        if let Some(kept) = self.kept_session() {
            match self.scan_in(kept, content).await {
                Err(ScanError::Unavailable(error)) if error.kind() != io::ErrorKind::TimedOut => {}
                done => return done,
            }
        }
        self.scan_in(self.begin_session().await?, content).await
    }

    async fn check(&self) -> Result<(), ScanError> {
        let mut socket = self.connect().await?;
        within(self.timeout, socket.write_all(b"zPING\0")).await?;
        match read_reply(&mut *socket, self.timeout).await?.as_str() {
            "PONG" => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    fn max_bytes(&self) -> u64 {
        self.max_bytes
    }
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

async fn read_reply(socket: &mut dyn Socket, limit: Duration) -> Result<String, ScanError> {
    let mut reply = Vec::new();
    let mut limited = socket.take(MAX_REPLY_BYTES);
    within(limit, async {
        loop {
            if limited.read_buf(&mut reply).await? == 0 || reply.last() == Some(&0) {
                return Ok(());
            }
        }
    })
    .await?;
    // A reply that was cut could say the opposite of the whole.
    let reply = reply.strip_suffix(&[0]);
    let reply = reply.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    Ok(String::from_utf8_lossy(reply).into_owned())
}

/// Reads `stream: OK`, `stream: <name> FOUND` and the errors.
fn verdict(reply: &str) -> Result<Verdict, ScanError> {
    let reply = reply.trim();
    let result = reply.strip_prefix("stream: ").unwrap_or(reply);
    if result == "OK" {
        return Ok(Verdict::Clean);
    }
    if let Some(name) = result.strip_suffix(" FOUND") {
        return match name.starts_with(LIMITS_EXCEEDED) {
            true => Err(ScanError::TooLarge),
            false => Ok(Verdict::Infected(name.to_owned())),
        };
    }
    match result.contains("size limit exceeded") {
        true => Err(ScanError::TooLarge),
        false => Err(unexpected(result)),
    }
}

fn unexpected(reply: &str) -> ScanError {
    let shown: String = reply.chars().take(100).collect();
    io::Error::other(format!("clamd replied `{shown}`")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read() {
        let infected = |reply| match verdict(reply) {
            Ok(Verdict::Infected(name)) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(verdict("stream: OK").unwrap(), Verdict::Clean);
        assert_eq!(infected("stream: Eicar-Test FOUND"), "Eicar-Test");
        for too_large in [
            "INSTREAM size limit exceeded. ERROR",
            "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
        ] {
            assert!(
                matches!(verdict(too_large), Err(ScanError::TooLarge)),
                "{too_large}"
            );
        }
        for failed in [
            "",
            "COMMAND READ TIMED OUT",
            "stream: not OK",
            "stream: x ERROR",
        ] {
            assert!(
                matches!(verdict(failed), Err(ScanError::Unavailable(_))),
                "{failed}"
            );
        }
    }

    #[test]
    fn addresses_are_sockets_or_hosts_with_a_port() {
        let unix = Address::Unix("/run/clamd.sock".into());
        for text in [
            "unix:/run/clamd.sock",
            "unix:///run/clamd.sock",
            "/run/clamd.sock",
        ] {
            assert_eq!(Address::parse(text).as_ref(), Ok(&unix), "{text}");
        }
        let tcp = Address::Tcp("localhost:3310".to_owned());
        assert_eq!(Address::parse("tcp://localhost:3310"), Ok(tcp));
        for text in ["", "localhost", "host:port", ":3310", "unix:clamd.sock"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
