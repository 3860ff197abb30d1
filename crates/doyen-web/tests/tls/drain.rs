//! A stop over TLS: nothing is lost, and each connection ends with `close_notify`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Files, LARGE_BYTES, STREAM_BYTES, answer, connect, get, rest, run, soon};

#[tokio::test]
async fn each_connection_gets_its_last_response_and_close_notify() {
    let files = Files::new();
    let mut server = run(&files, |_| {}).await;
    let client = files.client(&["http/1.1"]);
    let mut idle = connect(server.address, &client).await.unwrap();
    get(&mut idle, "/hello").await.unwrap();
    let mut fresh = connect(server.address, &client).await.unwrap();
    let mut untouched = connect(server.address, &client).await.unwrap();
    let http2 = connect(server.address, &files.client(&["h2"])).await;
    let (http2, connection) = h2::client::handshake(http2.unwrap()).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut http2 = http2.ready().await.unwrap();
    let request = http::Request::get("https://localhost/hello").body(());
    let (hello, _) = http2.send_request(request.unwrap(), true).unwrap();
    assert_eq!(soon(hello).await.unwrap().status(), 200);
    let mut busy = connect(server.address, &client).await.unwrap();
    busy.write_all(b"GET /hold HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    busy.flush().await.unwrap();
    server.reached().await;
    // This one reads its response only once the server stops.
    let mut slow = connect(server.address, &client).await.unwrap();
    slow.write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    slow.flush().await.unwrap();
    server.stop();
    soon(async {
        while !server.service.drain().has_begun() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // A last request on the one that had none.
    let (head, body) = get(&mut fresh, "/hello").await.unwrap();
    assert!(
        head.contains("connection: close") && body == "hello",
        "{head}"
    );
    server.go();
    let (head, body) = answer(&mut busy).await.unwrap();
    assert!(
        head.contains("connection: close") && body == "held",
        "{head}"
    );
    assert_eq!(answer(&mut slow).await.unwrap().1.len(), LARGE_BYTES);
    for stream in [&mut idle, &mut fresh, &mut untouched, &mut busy, &mut slow] {
        // Without `close_notify` this is an error.
        assert_eq!(rest(stream).await.unwrap(), "");
        stream.shutdown().await.unwrap();
    }
    soon(connection).await.unwrap().unwrap();
    assert_eq!(server.cut().await, 0);
}

#[tokio::test]
async fn a_request_of_which_a_part_has_arrived_is_served() {
    let files = Files::new();
    let mut server = run(&files, |_| {}).await;
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    get(&mut stream, "/hello").await.unwrap();
    // The record of a request, cut in the middle.
    let (mut socket, mut session) = stream.into_inner();
    let request = b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n";
    std::io::Write::write_all(&mut session.writer(), request).unwrap();
    let mut record = Vec::new();
    session.write_tls(&mut record).unwrap();
    let (first, second) = record.split_at(record.len() / 2);
    socket.write_all(first).await.unwrap();
    // So that the server has read it before it stops.
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop();
    // Longer than an idle connection is kept.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    socket.write_all(second).await.unwrap();
    let mut text = Vec::new();
    soon(async {
        while !text.ends_with(b"hello") {
            socket.readable().await.unwrap();
            let mut bytes = [0; 4096];
            match socket.try_read(&mut bytes) {
                Ok(0) => panic!("closed: {:?}", String::from_utf8_lossy(&text)),
                Ok(count) => {
                    let mut encrypted = &bytes[..count];
                    while !encrypted.is_empty() {
                        session.read_tls(&mut encrypted).unwrap();
                        session.process_new_packets().unwrap();
                    }
                    let mut plain = [0; 4096];
                    while let Ok(count @ 1..) =
                        std::io::Read::read(&mut session.reader(), &mut plain)
                    {
                        text.extend_from_slice(&plain[..count]);
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
    drop(socket);
    assert_eq!(server.cut().await, 0);
}

#[tokio::test]
async fn a_stalled_handshake_does_not_delay_the_stop_to_its_deadline() {
    let files = Files::new();
    let mut server = run(&files, |options| {
        options.header_timeout = Duration::from_secs(300);
        options.drain_deadline = Duration::from_secs(300);
    })
    .await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    let mut partial = TcpStream::connect(server.address).await.unwrap();
    partial.write_all(&[22, 3, 1]).await.unwrap();
    // Both are accepted before a third one is served.
    let mut stream = connect(server.address, &files.client(&[])).await.unwrap();
    get(&mut stream, "/hello").await.unwrap();
    server.stop();
    assert_eq!(server.cut().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_no_request() {
    let files = Arc::new(Files::new());
    for is_kept in [true, false] {
        let mut server = run(&files, |_| {}).await;
        let (address, served) = (server.address, Arc::new(AtomicUsize::new(0)));
        let mut clients = Vec::new();
        for _ in 0..4 {
            let (files, served) = (Arc::clone(&files), Arc::clone(&served));
            clients.push(tokio::spawn(async move {
                let client = files.client(&["http/1.1"]);
                // Until the server refuses connections.
                while let Ok(socket) = TcpStream::connect(address).await {
                    let name = "localhost".try_into().unwrap();
                    let mut stream = client
                        .connect(name, socket)
                        .await
                        .map_err(said("connect"))?;
                    loop {
                        let answer = get(&mut stream, "/hello").await;
                        let (head, _) = answer.map_err(said("request"))?;
                        served.fetch_add(1, Ordering::Relaxed);
                        if !is_kept || head.contains("connection: close") {
                            break;
                        }
                    }
                }
                Ok::<_, String>(())
            }));
        }
        soon(async {
            while served.load(Ordering::Relaxed) < 50 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        server.stop();
        for client in clients {
            soon(client).await.unwrap().unwrap();
        }
        assert_eq!(server.cut().await, 0);
    }
}

fn said(what: &'static str) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{what}: {error}")
}

/// A client that does not read is closed, although the session accepts its response.
#[tokio::test]
async fn a_client_that_does_not_read_its_response_is_closed() {
    let files = Files::new();
    let server = run(&files, |options| {
        options.header_timeout = Duration::from_secs(1);
    })
    .await;
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    for _ in 0..2 {
        stream
            .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
    }
    stream.flush().await.unwrap();
    soon(async {
        while server.service.pressure().buffered == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while server.service.pressure().buffered > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    // What was sent before is there; the rest never comes.
    assert!(answer(&mut stream).await.is_err());
}

/// What waits in the session is counted once, however long the response is.
#[tokio::test]
async fn a_slow_client_of_a_long_stream_costs_little_memory_and_gets_it_whole() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    let get = b"GET /endless HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(get).await.unwrap();
    stream.flush().await.unwrap();
    let (mut received, mut most) = (0, 0);
    let mut bytes = vec![0; 16 << 10];
    loop {
        // The server writes faster than this client reads.
        tokio::time::sleep(Duration::from_millis(1)).await;
        most = most.max(server.service.pressure().buffered);
        match soon(stream.read(&mut bytes)).await.unwrap() {
            0 => break,
            count => received += count,
        }
    }
    assert!(received >= STREAM_BYTES, "{received}");
    assert!(most > 0 && most < 4 << 20, "{most}");
}
