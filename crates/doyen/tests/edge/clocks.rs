//! Timeouts of clients, over sockets: slow clients are served completely, idle ones are closed.
//!
//! Limits are generous: a busy machine may be late, never early.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use doyen::prelude::*;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::server::{Running, Wire, run_with, soon, status};

/// The header timeout in these tests.
const HEADER: Duration = Duration::from_millis(300);

/// Time after which a connection must be closed because of its header: the timeout, the time of a
/// clean shutdown, and a busy machine.
const LATE: Duration = Duration::from_secs(4);

const LARGE: usize = 8 << 20;

/// Answer at once, with much.
#[get("/large", allow = anyone)]
async fn large() -> Text {
    Text("x".repeat(LARGE))
}

/// Respond for as long as the client reads
#[get("/endless", allow = anyone)]
async fn endless() -> Stream<doyen::web::response::PlainText> {
    let chunk = Bytes::from(vec![b'x'; 64 << 10]);
    Stream::new(stream::repeat_with(move || {
        Ok::<_, Infallible>(chunk.clone())
    }))
}

/// Say a little, three times, with long pauses.
#[get("/pauses", allow = anyone)]
async fn pauses() -> Stream<doyen::web::response::PlainText> {
    let chunks = stream::unfold(0, |sent| async move {
        if sent == 3 {
            return None;
        }
        tokio::time::sleep(HEADER * 2).await;
        Some((Ok::<_, Infallible>(Bytes::from("tick")), sent + 1))
    });
    Stream::new(chunks)
}

async fn serving() -> Running {
    run_with(routes![large, endless, pauses], |options| {
        options.header_timeout = HEADER;
        options.idle_timeout = HEADER;
    })
    .await
}

/// A server with a single permit.
async fn one_place() -> Running {
    run_with(routes![large, endless, pauses], |options| {
        options.header_timeout = HEADER;
        options.idle_timeout = HEADER;
        options.max_connections = 1;
    })
    .await
}

/// Waits until another request gets the permit.
async fn place_is_free(server: &Running) {
    soon(async {
        loop {
            let mut next = server.connect().await;
            next.get("/hello").await;
            if status(&next.answer().await.0) == "200" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// A connection with small buffers, so that unread data stays on the server.
async fn narrow(server: &Running) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(32 << 10).unwrap();
    socket.connect(server.address).await.unwrap()
}

/// Sends a byte every tenth of a second until the server closes. Returns the response and the time.
async fn dribble(wire: Wire, bytes: &[u8]) -> (String, Duration) {
    let started = Instant::now();
    let (mut from, mut to) = wire.0.into_split();
    let mut received = Vec::new();
    let send = async {
        for byte in bytes {
            if to.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    soon(async {
        tokio::select! {
            // A reset is an end too.
            _ = from.read_to_end(&mut received) => {}
            () = send => {}
        }
    })
    .await;
    (String::from_utf8(received).unwrap(), started.elapsed())
}

/// The response to a client whose header does not arrive.
fn is_late(received: &str) {
    assert!(received.starts_with("HTTP/1.1 408"), "{received}");
    assert_eq!(received.matches("HTTP/1.1 ").count(), 1, "{received}");
    assert!(
        received.contains("header_timeout") && received.contains("connection: close"),
        "{received}"
    );
}

#[tokio::test]
async fn a_slow_header_gets_408() {
    let server = serving().await;
    let header = b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
    // The first on a connection, and one after another request.
    for answered in [0, 2] {
        let mut wire = server.connect().await;
        for _ in 0..answered {
            wire.get("/hello").await;
            assert_eq!(status(&wire.answer().await.0), "200");
        }
        let (received, after) = dribble(wire, header).await;
        is_late(&received);
        assert!(after >= HEADER / 2 && after < LATE, "{answered}: {after:?}");
    }
}

#[tokio::test]
async fn a_header_that_stops_halfway_is_cut() {
    let server = one_place().await;
    for bytes in [
        "GET /hello HTTP/1.1\r\nhost: a\r\n",
        "GET /hello HTTP/1.1\r\nhost: a\r\n\r\nGET /hello HTT",
    ] {
        let mut wire = server.connect().await;
        wire.send(bytes).await;
        let started = Instant::now();
        let received = wire.rest().await;
        let answered = bytes.matches("\r\n\r\n").count();
        assert_eq!(received.matches("200 OK").count(), answered);
        is_late(&received[received.find("HTTP/1.1 408").unwrap()..]);
        assert!(started.elapsed() < LATE, "{:?}", started.elapsed());
        place_is_free(&server).await;
    }
}

#[tokio::test]
async fn a_connection_rests_as_long_as_it_may_and_no_longer() {
    let server = serving().await;
    let mut wire = server.connect().await;
    // A used connection stays open far beyond that time.
    let started = Instant::now();
    while started.elapsed() < HEADER * 4 {
        wire.get("/hello").await;
        let (head, body) = wire.answer().await;
        assert_eq!((status(&head), &*body), ("200", "hello"));
        assert!(!head.contains("connection: close"), "{head}");
        tokio::time::sleep(HEADER / 6).await;
    }
    let rests = Instant::now();
    assert_eq!(wire.rest().await, "");
    let rested = rests.elapsed();
    assert!(rested >= HEADER / 2 && rested < LATE, "{rested:?}");
}

#[tokio::test]
async fn the_time_between_requests_is_another_than_the_time_of_a_header() {
    const IDLE: Duration = Duration::from_millis(1_500);
    let server = run_with(routes![], |options| {
        options.header_timeout = HEADER;
        options.idle_timeout = IDLE;
    })
    .await;
    // Without a request a connection has the time of a header.
    let mut untouched = server.connect().await;
    let begun = Instant::now();
    assert_eq!(untouched.rest().await, "");
    assert!(begun.elapsed() < IDLE, "{:?}", begun.elapsed());
    let served = async || {
        let mut wire = server.connect().await;
        wire.get("/hello").await;
        assert_eq!(status(&wire.answer().await.0), "200");
        (wire, Instant::now())
    };
    let (mut idle, rests) = served().await;
    let (mut late, _) = served().await;
    // A head that begins late has all its time.
    tokio::time::sleep(HEADER * 2).await;
    late.send("GET /hello HTTP/1.1\r\n").await;
    let begun = Instant::now();
    is_late(&late.rest().await);
    let took = begun.elapsed();
    assert!(took >= HEADER.mul_f32(0.9) && took < LATE, "{took:?}");
    assert_eq!(idle.rest().await, "");
    let rested = rests.elapsed();
    assert!(
        rested >= IDLE.mul_f32(0.9) && rested < IDLE + LATE,
        "{rested:?}"
    );
    // Over HTTP/2 too: a header block that never ends, and a connection that rests.
    let headers = b"\0\0\x06\x01\x01\0\0\0\x03\x82\x86\x84\x41\x01a".as_slice();
    for (sent, least, most) in [(headers, HEADER, IDLE), (b"", IDLE, IDLE + LATE)] {
        let mut wire = server.connect().await;
        let answered = b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a".as_slice();
        wire.0
            .write_all(&[PREFACE, answered].concat())
            .await
            .unwrap();
        tokio::time::sleep(HEADER / 3).await;
        wire.0.write_all(sent).await.unwrap();
        let begun = Instant::now();
        // Until GOAWAY.
        let mut all = Vec::new();
        soon(async {
            while !all.windows(2).any(|bytes| bytes == [7, 0]) {
                assert!(wire.0.read_buf(&mut all).await.unwrap() > 0, "{all:?}");
            }
        })
        .await;
        let took = begun.elapsed() + HEADER / 3;
        assert!(
            took >= least.mul_f32(0.9) && took < most,
            "{sent:?}: {took:?}"
        );
    }
}

#[tokio::test]
async fn a_long_request_is_not_an_idle_connection() {
    let server = serving().await;
    let mut wire = server.connect().await;
    // A slow body.
    wire.send("POST /few HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n")
        .await;
    for _ in 0..8 {
        tokio::time::sleep(HEADER / 3).await;
        wire.send("x").await;
    }
    let (head, body) = wire.answer().await;
    assert_eq!((status(&head), &*body), ("200", "8"));
    assert!(!head.contains("connection: close"), "{head}");
    // A slow handler, on the same connection.
    wire.get("/hold").await;
    server.reached().await;
    tokio::time::sleep(HEADER * 3).await;
    server.gate.go.add_permits(1);
    let (head, body) = wire.answer().await;
    assert_eq!((status(&head), &*body), ("200", "held"));
    assert!(!head.contains("connection: close"), "{head}");
    // A stream with longer pauses.
    wire.get("/pauses").await;
    let received = wire.rest().await;
    assert_eq!(received.matches("tick").count(), 3, "{received}");
    assert!(received.ends_with("0\r\n\r\n"), "{received}");
}

#[tokio::test]
async fn a_large_response_reaches_a_slow_reader_complete() {
    let server = serving().await;
    let mut stream = narrow(&server).await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let started = Instant::now();
    let (mut all, mut part) = (0, vec![0; 64 << 10]);
    loop {
        let read = soon(stream.read(&mut part)).await.unwrap();
        if read == 0 {
            break;
        }
        all += read;
        // Slow, and slower than the buffers of both sides drain within the header timeout.
        tokio::time::sleep(Duration::from_micros(read as u64 / 3)).await;
    }
    assert!(started.elapsed() > HEADER * 4, "{:?}", started.elapsed());
    assert!(all > LARGE, "{all} bytes after {:?}", started.elapsed());
}

#[tokio::test]
async fn a_reader_that_is_slower_than_the_buffers_of_the_kernel_gets_its_answer_whole() {
    // In full: 800 KB at 8 KB/s with the default timeout.
    let full = std::env::var_os("DOYEN_SOAK").is_some();
    let (seconds, bytes, per_tick) = if full {
        (10, 800_000, 400)
    } else {
        (1, 360_000, 2_400)
    };
    #[get("/slowly/{bytes}", allow = anyone)]
    async fn slowly(bytes: u32) -> Text {
        Text("x".repeat(bytes as usize))
    }
    let server = run_with(routes![slowly], |options| {
        options.header_timeout = Duration::from_secs(seconds);
    })
    .await;
    let read = async |close: &str| {
        let mut stream = narrow(&server).await;
        let request =
            format!("GET /slowly/{bytes} HTTP/1.1\r\nhost: a\r\nconnection: {close}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        // Steadily, so that the kernel has space for more only every few seconds.
        let (mut all, mut part) = (0, vec![0; per_tick]);
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while all < bytes {
            tick.tick().await;
            let read = soon(stream.read(&mut part)).await.unwrap();
            assert!(read > 0, "{close}: {all} bytes");
            all += read;
        }
    };
    futures_util::join!(read("keep-alive"), read("close"));
}

#[tokio::test]
async fn http_2_is_closed_after_the_last_window_updates() {
    let mut server = run_with(routes![large], |_| {}).await;
    let mut wire = server.connect().await;
    // Windows of 16 MiB, and a request.
    let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x04\x01\0\0\0";
    let window = b"\0\0\x04\x08\0\0\0\0\0\x01\0\0\0";
    let request = b"\0\0\x0d\x01\x05\0\0\0\x01\x82\x86\x04\x06/large\x41\x01a";
    let preface = &PREFACE[..24];
    let all = [preface, settings, window, request].concat();
    wire.0.write_all(&all).await.unwrap();
    let mut all = Vec::new();
    soon(wire.0.read_buf(&mut all)).await.unwrap();
    server.stop();
    // It confirms what it reads, also while the server closes, and the replies to SETTINGS and
    // PING.
    let ping = b"\0\0\x08\x06\x01\0\0\0\0\x0b\x7b\xa2\xf0\x8b\x9b\xfe\x54";
    wire.0.write_all(ping).await.unwrap();
    loop {
        let read = soon(wire.0.read_buf(&mut all)).await.expect("no reset");
        if read == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        let update = b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01";
        let _ = wire.0.write_all(update).await;
    }
    assert!(all.len() > LARGE, "{}", all.len());
    drop(wire);
    server.stopped().await;
}

#[tokio::test]
async fn a_client_that_stops_reading_is_closed() {
    for path in ["/large", "/endless"] {
        let server = one_place().await;
        let mut stream = narrow(&server).await;
        let ask = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        soon(stream.read_u8()).await.unwrap();
        place_is_free(&server).await;
        drop(stream);
    }
}

#[tokio::test]
async fn a_client_that_pipelines_and_never_reads_is_closed() {
    let server = one_place().await;
    let stream = narrow(&server).await;
    let (from, mut to) = stream.into_split();
    let asking = tokio::spawn(async move {
        let many = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
        while to.write_all(many.as_bytes()).await.is_ok() {}
    });
    // It was received.
    tokio::time::sleep(HEADER / 3).await;
    place_is_free(&server).await;
    soon(asking).await.unwrap();
    drop(from);
}

#[tokio::test]
async fn requests_sent_at_once_are_answered_in_order() {
    let server = run_with(routes![], |_| {}).await;
    let mut wire = server.connect().await;
    let mut many = String::new();
    for number in 0..200 {
        many += &format!("GET /hello HTTP/1.1\r\nhost: a\r\nx-request-id: n{number}\r\n\r\n");
    }
    // The last one arrives in two parts.
    let (most, last) = many.split_at(many.len() - 10);
    wire.send(most).await;
    for number in 0..199 {
        let (head, body) = wire.answer().await;
        assert_eq!((status(&head), &*body), ("200", "hello"));
        assert!(
            head.contains(&format!("x-request-id: n{number}\r\n")),
            "{head}"
        );
    }
    wire.send(last).await;
    assert!(wire.answer().await.0.contains("x-request-id: n199\r\n"));
}

/// HTTP/2 without a request: a preface and empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn http_2_without_a_request_is_closed() {
    let server = one_place().await;
    let mut silent = server.connect().await;
    silent.0.write_all(PREFACE).await.unwrap();
    place_is_free(&server).await;
    drop(silent);
}

#[tokio::test]
async fn pings_keep_nothing_open() {
    // `GET /` with a GOAWAY that is never acknowledged; `GET /large` with a window of its first
    // 65,535 bytes.
    let answered = b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a".as_slice();
    let unread = b"\0\0\x0d\x01\x05\0\0\0\x01\x82\x86\x04\x06/large\x41\x01a".as_slice();
    for asked in [b"", answered, unread] {
        let server = one_place().await;
        let mut pinging = server.connect().await;
        pinging.0.write_all(PREFACE).await.unwrap();
        pinging.0.write_all(asked).await.unwrap();
        let (mut from, mut to) = pinging.0.into_split();
        let pings = async {
            let ping = b"\0\0\x08\x06\0\0\0\0\0pingpong";
            loop {
                let _ = to.write_all(ping).await;
                tokio::time::sleep(HEADER / 10).await;
            }
        };
        let listens = async {
            let mut received = Vec::new();
            let _ = from.read_to_end(&mut received).await;
            // Headers arrived, and a body if there is one.
            assert_eq!(
                received.len() > 60_000,
                asked == unread,
                "{}",
                received.len()
            );
            place_is_free(&server).await;
        };
        tokio::select! {
            () = pings => {}
            () = soon(listens) => {}
        }
    }
}

#[tokio::test]
async fn http_2_that_rests_after_a_request_is_closed() {
    // A client that reacts to GOAWAY, and one that does not read any more.
    for hears in [true, false] {
        let server = one_place().await;
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (mut client, mut connection) = h2::client::handshake(stream).await.unwrap();
        let request = http::Request::get("http://a/hello").body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let answer = soon(async {
            tokio::select! {
                _ = &mut connection => panic!("it ended"),
                answer = answer => answer.unwrap(),
            }
        })
        .await;
        assert_eq!(answer.status(), 200);
        drop(answer);
        if hears {
            soon(connection).await.unwrap();
            place_is_free(&server).await;
        } else {
            place_is_free(&server).await;
            drop(connection);
        }
    }
}

#[tokio::test]
async fn an_http_2_client_that_does_not_read_is_closed() {
    for path in ["/large", "/endless"] {
        let server = one_place().await;
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        // It responds to pings, and never opens its window.
        let connection = tokio::spawn(connection);
        let request = http::Request::get(format!("http://a{path}"))
            .body(())
            .unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let answer = soon(answer).await.unwrap();
        place_is_free(&server).await;
        drop((answer, client));
        let _ = soon(connection).await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_http_2_client_gets_the_complete_response() {
    let server = serving().await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    // The window opens for a few bytes: they must not wait for more.
    stream.set_nodelay(true).unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("http://a/large").body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    let mut body = soon(answer).await.unwrap().into_body();
    let (started, mut all) = (Instant::now(), 0);
    while let Some(chunk) = soon(body.data()).await {
        let read = chunk.unwrap().len();
        all += read;
        tokio::time::sleep(Duration::from_micros(read as u64 / 6)).await;
        body.flow_control().release_capacity(read).unwrap();
    }
    assert!(started.elapsed() > HEADER * 4, "{:?}", started.elapsed());
    assert_eq!(all, LARGE);
    drop((body, client));
    soon(connection).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drain_of_http_2_waits_for_a_window() {
    let mut server = run_with(routes![large], |_| {}).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("http://a/large").body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    let mut body = soon(answer).await.unwrap().into_body();
    let mut all = 0;
    server.stop();
    // Its window is full, so nothing moves for longer than a clean shutdown takes.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    while let Some(chunk) = soon(body.data()).await {
        let read = chunk.expect("it was not cut").len();
        all += read;
        body.flow_control().release_capacity(read).unwrap();
    }
    assert_eq!(all, LARGE);
    drop((body, client));
    soon(connection).await.unwrap().unwrap();
    server.stopped().await;
}

#[tokio::test]
async fn a_drain_waits_for_work_not_for_words() {
    // The header timeout is long here: the drain ends the connection.
    let mut server = run_with(routes![large, endless, pauses], |_| {}).await;
    let mut idle = server.connect().await;
    idle.get("/hello").await;
    assert_eq!(status(&idle.answer().await.0), "200");
    let mut half = server.connect().await;
    half.send("GET /hello HTT").await;
    let mut half_after = server.connect().await;
    half_after.get("/hello").await;
    assert_eq!(status(&half_after.answer().await.0), "200");
    half_after.send("GET /hello HTT").await;
    let mut finishing = server.connect().await;
    finishing.send("GET /hello HTTP/1.1\r\n").await;
    let mut uploading = server.connect().await;
    uploading
        .send("POST /few HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab")
        .await;
    let mut busy = server.connect().await;
    busy.get("/hold").await;
    server.reached().await;
    // Everything sent before this request is received, or will be in a moment.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    server.stop();
    // A header that is on its way may still arrive.
    finishing.send("host: a\r\n\r\n").await;
    let received = finishing.rest().await.to_lowercase();
    assert!(
        received.contains("200 ok") && received.contains("connection: close"),
        "{received}"
    );
    assert_eq!(idle.rest().await, "");
    assert_eq!(half.rest().await, "");
    assert_eq!(half_after.rest().await, "");
    // Not the 10 s of a header.
    assert!(started.elapsed() < LATE * 2, "{:?}", started.elapsed());
    // Work takes its time, and its body too.
    uploading.send("c").await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    uploading.send("d").await;
    let (head, body) = uploading.answer().await;
    assert_eq!((status(&head), &*body), ("200", "4"));
    assert_eq!(uploading.rest().await, "");
    server.gate.go.add_permits(1);
    let (head, body) = busy.answer().await;
    assert_eq!((status(&head), &*body), ("200", "held"));
    assert!(head.contains("connection: close"), "{head}");
    server.stopped().await;
}

#[tokio::test]
async fn a_drain_sends_responses_and_does_not_wait_for_clients_that_do_not_read() {
    let mut server = serving().await;
    let mut reading = narrow(&server).await;
    let mut deaf = narrow(&server).await;
    for stream in [&mut reading, &mut deaf] {
        stream
            .write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        soon(stream.read_u8()).await.unwrap();
    }
    let started = Instant::now();
    server.stop();
    let mut all = Vec::new();
    soon(reading.read_to_end(&mut all)).await.unwrap();
    assert!(all.len() > LARGE, "{}", all.len());
    server.stopped().await;
    assert!(started.elapsed() < LATE, "{:?}", started.elapsed());
    drop(deaf);
}
