//! What is in flight while programs behind a proxy are replaced: a stream, a socket, comments, jobs
//! and uploads. Each request has a response, each event arrives once, and each job is done.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::exchange::{Response, exchange};
use crate::live::bearer;
use crate::live_client::{HANG, PING, PONG, RawSocket, TEXT};
use crate::support::Person;

/// Tickets of an import: three steps of a job.
const IMPORTED: usize = 120;

/// Bytes of an upload, and of each part of it.
const UPLOAD: usize = 300_000;
const PART: usize = 64 << 10;

/// Pauses, so that the work is in flight for a while and the machine has time for requests.
const PAUSE: Duration = Duration::from_millis(30);

/// What the clients do and see.
pub(crate) struct InFlight {
    address: SocketAddr,
    customer: Person,
    agent: Person,
    ticket: String,
    is_writing: AtomicBool,
    /// The last comment is sent.
    is_ending: AtomicBool,
    confirmed: Mutex<BTreeSet<String>>,
    pub(crate) counts: Counts,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: AtomicUsize,
    pub(crate) stream_resumed: AtomicUsize,
    pub(crate) socket_resumed: AtomicUsize,
    pub(crate) imported: AtomicUsize,
    pub(crate) uploads: AtomicUsize,
}

fn add(count: &AtomicUsize, number: usize) {
    count.fetch_add(number, Ordering::Relaxed);
}

/// Clients that are running.
pub(crate) struct Clients {
    pub(crate) work: Arc<InFlight>,
    writers: JoinSet<()>,
    readers: JoinSet<()>,
}

impl Clients {
    /// Starts them. They reach the programs at this address.
    pub(crate) async fn start(address: SocketAddr, customer: Person, agent: Person) -> Self {
        let work = InFlight {
            address,
            customer,
            agent,
            ticket: String::new(),
            is_writing: AtomicBool::new(true),
            is_ending: AtomicBool::new(false),
            confirmed: Mutex::default(),
            counts: Counts::default(),
        };
        let ticket = work.open_ticket().await;
        let work = Arc::new(InFlight { ticket, ..work });
        let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
        let one = || Arc::clone(&work);
        writers.spawn(one().comment());
        writers.spawn(one().import());
        writers.spawn(one().upload());
        readers.spawn(one().watch_stream());
        readers.spawn(one().watch_socket());
        Self {
            work,
            writers,
            readers,
        }
    }

    /// Panics with the failure of a client that has ended.
    pub(crate) fn check(&mut self) {
        for all in [&mut self.writers, &mut self.readers] {
            if let Some(ended) = all.try_join_next() {
                ended.unwrap();
            }
        }
    }

    /// Ends the writers, then the readers when they have all that was confirmed.
    pub(crate) async fn finish(self) -> Arc<InFlight> {
        let work = self.work;
        let all = async {
            work.is_writing.store(false, Ordering::Relaxed);
            self.writers.join_all().await;
            let last = format!("comment {}", unique());
            work.confirmed.lock().unwrap().insert(last.clone());
            work.is_ending.store(true, Ordering::Relaxed);
            work.comment_with(&last).await;
            self.readers.join_all().await;
        };
        let all = tokio::time::timeout(HANG, all).await;
        assert!(all.is_ok(), "an event is lost: {:?}", work.counts);
        work
    }
}

impl InFlight {
    fn is_writing(&self) -> bool {
        self.is_writing.load(Ordering::Relaxed)
    }

    /// Returns true if a reader has all that was confirmed, and nothing more comes.
    fn is_complete(&self, seen: &BTreeSet<String>) -> bool {
        self.is_ending.load(Ordering::Relaxed) && self.confirmed.lock().unwrap().is_subset(seen)
    }

    /// Sends a request on a connection of its own. `slowly` sends the second half of the body
    /// later.
    async fn send(
        &self,
        person: &Person,
        head: &str,
        body: &[u8],
        slowly: bool,
        status: u16,
    ) -> Response {
        let bearer = bearer(person);
        let length = body.len();
        let head = format!(
            "{head}\r\nHost: localhost\r\nConnection: close\r\n{bearer}Content-Length: {length}\r\n\r\n"
        );
        let sent = async {
            let failed = |error: std::io::Error| error.to_string();
            let connected = TcpStream::connect(self.address).await;
            let mut stream = connected.map_err(failed)?;
            let (first, rest) = body.split_at(if slowly { length / 2 } else { length });
            let first = [head.as_bytes(), first].concat();
            if slowly {
                stream.write_all(&first).await.map_err(failed)?;
                tokio::time::sleep(5 * PAUSE).await;
                return exchange(&mut stream, rest).await;
            }
            exchange(&mut stream, &first).await
        };
        let sent = tokio::time::timeout(HANG, sent).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            failed => panic!("{failed:?} {head}"),
        };
        assert_eq!(response.status, status, "{head}{}", response.text());
        add(&self.counts.requests, 1);
        response
    }

    async fn post(&self, person: &Person, path: &str, body: &Value, status: u16) -> Value {
        let head = format!(
            "POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nIdempotency-Key: {}",
            unique()
        );
        let body = body.to_string();
        let sent = self.send(person, &head, body.as_bytes(), false, status);
        serde_json::from_slice(&sent.await.body).unwrap()
    }

    async fn open_ticket(&self) -> String {
        let ticket = json!({"subject": "rolling", "body": "It does not stop."});
        let opened = self.post(&self.customer, "/v1/tickets", &ticket, 201).await;
        opened["id"].as_str().unwrap().to_owned()
    }

    async fn comment_with(&self, body: &str) {
        let path = format!("/v1/tickets/{}/comments", self.ticket);
        let body = json!({ "body": body });
        self.post(&self.customer, &path, &body, 201).await;
    }

    /// Comments on the ticket.
    async fn comment(self: Arc<Self>) {
        while self.is_writing() {
            let body = format!("comment {}", unique());
            self.comment_with(&body).await;
            self.confirmed.lock().unwrap().insert(body);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Imports tickets, and waits for the job.
    async fn import(self: Arc<Self>) {
        let ticket = json!({"subject": "imported", "body": "It does not work."});
        let import = json!({"tickets": vec![ticket; IMPORTED]});
        while self.is_writing() {
            let started = self
                .post(&self.agent, "/v1/tickets/import", &import, 202)
                .await;
            let job = started["id"].as_str().unwrap();
            let head = format!("GET /v1/jobs/{job} HTTP/1.1");
            let done = async {
                loop {
                    let shown = self.send(&self.agent, &head, b"", false, 200).await;
                    let shown: Value = serde_json::from_slice(&shown.body).unwrap();
                    match shown["status"].as_str() {
                        Some("queued" | "running") => tokio::time::sleep(PAUSE).await,
                        Some("done") => return,
                        _ => panic!("{shown}"),
                    }
                }
            };
            let done = tokio::time::timeout(HANG, done).await;
            assert!(done.is_ok(), "the job {job} is lost");
            add(&self.counts.imported, IMPORTED);
        }
    }

    /// Uploads a file in parts, and attaches it to a ticket.
    async fn upload(self: Arc<Self>) {
        let content: Vec<u8> = b"logs of a program\n".repeat(UPLOAD / 18);
        let length = content.len();
        while self.is_writing() {
            let ticket = self.open_ticket().await;
            // `log.txt`, `text/plain`.
            let head = format!(
                "POST /v1/uploads HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nUpload-Length: {length}\r\n\
                 Upload-Metadata: filename bG9nLnR4dA==,filetype dGV4dC9wbGFpbg=="
            );
            let created = self.send(&self.customer, &head, b"", false, 201).await;
            let created: Value = serde_json::from_slice(&created.body).unwrap();
            let upload = created["id"].as_str().unwrap();
            for (number, part) in content.chunks(PART).enumerate() {
                let offset = number * PART;
                let head = format!(
                    "PATCH /v1/uploads/{upload} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\n\
                     Upload-Offset: {offset}\r\nContent-Type: application/offset+octet-stream"
                );
                let sent = self.send(&self.customer, &head, part, true, 204).await;
                let next = (offset + part.len()).to_string();
                assert_eq!(sent.header("upload-offset"), Some(&*next));
            }
            let path = format!("/v1/tickets/{ticket}/attachments");
            let attached = json!({ "upload": upload });
            let attached = self.post(&self.customer, &path, &attached, 201).await;
            let id = attached["id"].as_str().unwrap();
            let head = format!("GET /v1/attachments/{id}/content HTTP/1.1");
            let stored = self.send(&self.customer, &head, b"", false, 200).await;
            assert!(stored.body == content, "{id}");
            add(&self.counts.uploads, 1);
        }
    }

    /// Reads the events of the ticket. After the end of a stream it opens another one, after the
    /// last event that it has.
    async fn watch_stream(self: Arc<Self>) {
        let mut seen = Seen::default();
        while !self.is_complete(&seen.bodies) {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            // Over HTTP/1.0 a proxy removes the chunks.
            let head = format!(
                "GET /v1/tickets/{}/events HTTP/1.0\r\nHost: localhost\r\n{}Last-Event-ID: {}\r\n\r\n",
                self.ticket,
                bearer(&self.customer),
                seen.last
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut text = String::new();
            let mut is_open = true;
            while is_open && !self.is_complete(&seen.bodies) {
                let mut bytes = [0; 4096];
                let read = tokio::time::timeout(HANG, stream.read(&mut bytes)).await;
                let count = read.expect("an event").unwrap_or(0);
                is_open = count > 0;
                text.push_str(&String::from_utf8_lossy(&bytes[..count]));
                if let Some((head, events)) = text.split_once("\r\n\r\n") {
                    assert_eq!(head.split(' ').nth(1), Some("200"), "{text}");
                    text = events.to_owned();
                }
                while let Some(end) = text.find("\n\n") {
                    let rest = text.split_off(end + 2);
                    seen.block(&std::mem::replace(&mut text, rest));
                }
            }
            add(&self.counts.stream_resumed, usize::from(!is_open));
        }
    }

    /// Reads the events of the ticket over a socket. After its close it opens another one.
    async fn watch_socket(self: Arc<Self>) {
        let mut seen = Seen::default();
        let topic = format!("ticket:{}", self.ticket);
        let headers = bearer(&self.customer) + "Sec-WebSocket-Protocol: helpdesk.v1\r\n";
        while !self.is_complete(&seen.bodies) {
            let stream = TcpStream::connect(self.address).await.unwrap();
            let mut socket = RawSocket::on(stream, "/v1/socket", &headers).await;
            if socket.status() != 101 {
                let mut body = [0; 1024];
                let count = socket.stream.read(&mut body).await.unwrap();
                let body = String::from_utf8_lossy(&body[..count]);
                panic!("{}{body}", socket.head);
            }
            let subscribe = json!({"type": "subscribe", "topic": topic, "after": seen.last});
            socket.send(subscribe).await;
            while !self.is_complete(&seen.bodies) {
                let frame = socket.read().await.expect("a close frame before the end");
                match frame.opcode {
                    TEXT => seen.message(&serde_json::from_slice(&frame.payload).unwrap()),
                    PING => socket.frame(0x80 | PONG, &frame.payload).await,
                    _ => {
                        assert_eq!(frame.close().0, 1001, "{frame:?}");
                        add(&self.counts.socket_resumed, 1);
                        break;
                    }
                }
            }
        }
    }
}

/// What a reader has of the log.
struct Seen {
    /// Id of the last event.
    last: String,
    /// Bodies of comments.
    bodies: BTreeSet<String>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            last: "0".to_owned(),
            bodies: BTreeSet::new(),
        }
    }
}

impl Seen {
    /// Notes a block of a stream.
    fn block(&mut self, block: &str) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        if let (Some(event), Some(data)) = (field("event: "), field("data: ")) {
            let data = serde_json::from_str(data).unwrap();
            self.event(event, field("id: ").expect("an id"), &data);
        }
    }

    /// Notes a message of a socket.
    fn message(&mut self, message: &Value) {
        assert_ne!(message["type"], "error", "{message}");
        if let (Some(event), Some(id)) = (message["event"].as_str(), message["id"].as_str()) {
            self.event(event, id, &message["data"]);
        }
    }

    fn event(&mut self, event: &str, id: &str, data: &Value) {
        assert_ne!(event, "reload", "nothing is too old");
        let [last, next] = [self.last.as_str(), id].map(|id| id.parse::<i64>().unwrap());
        assert!(last < next, "{next} after {last}: {data}");
        id.clone_into(&mut self.last);
        let body = data["body"].as_str().unwrap_or_default();
        if body.starts_with("comment") {
            assert!(self.bodies.insert(body.to_owned()), "doubled: {body}");
        }
    }
}

/// A number that no other call returns.
fn unique() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
