//! Handshakes that fail, stall or never begin.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Files, connect, get, rest, run, soon};

/// The start of a hello: a record of which most is missing.
const PART_OF_A_HELLO: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

async fn is_served(address: std::net::SocketAddr, files: &Files) {
    let mut stream = connect(address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    assert_eq!(get(&mut stream, "/hello").await.unwrap().1, "hello");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_certificate_is_the_only_one_that_fails() {
    let (files, others) = (Files::new(), Files::new());
    let server = run(&files, |_| {}).await;
    let refused = connect(server.address, &others.client(&["http/1.1"])).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
    is_served(server.address, &files).await;
}

#[tokio::test]
async fn http_without_tls_gets_a_response_that_says_so() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    for request in [
        "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nsensitive",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        // One byte, and the rest never.
        "G",
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        soon(stream.read_to_string(&mut text)).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 400"), "{text}");
        assert!(
            text.contains("malformed_request") && text.contains("`https`"),
            "{text}"
        );
        assert!(text.contains("connection: close"), "{text}");
        // It was not encrypted, so it must not be believed (RFC 6797 section 7.2).
        assert!(!text.contains("strict-transport-security"), "{text}");
    }
    is_served(server.address, &files).await;
}

#[tokio::test]
async fn what_is_neither_tls_nor_http_is_closed() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    for bytes in [
        &[0_u8; 64][..],
        // A record that is longer than any may be.
        &[22, 3, 1, 255, 255, 1],
        // A hello that is no hello.
        &[22, 3, 1, 0, 4, 1, 0, 0, 0],
        b"ssh-2.0-x\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        // At most an alert.
        assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");
    }
    is_served(server.address, &files).await;
}

#[tokio::test]
async fn versions_before_tls_1_2_are_refused() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    for version in [0, 1, 2] {
        // Version, random, no session, the cipher ECDHE-RSA-AES128-SHA, no compression.
        let mut hello = vec![3, version];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
        let length = u8::try_from(hello.len()).unwrap();
        let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
        record.extend(hello);
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&record).await.unwrap();
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        // An alert that ends the connection.
        assert!(
            matches!(answer[..], [21, 3, _, 0, 2, 2, _]),
            "{version}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_handshake_that_grows_without_end_is_closed() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // A hello of 16 MiB, in records of 1 KiB.
    let mut hello = vec![1, 255, 255, 255];
    hello.resize(1024, 0);
    let mut sent = 0;
    let closed = soon(async {
        loop {
            let record = [&[22, 3, 1, 4, 0][..], &hello].concat();
            if stream.write_all(&record).await.is_err() {
                return true;
            }
            sent += record.len();
            hello.fill(0);
            if sent > 8 << 20 {
                return false;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(closed, "{sent} bytes were read");
}

#[tokio::test]
async fn hundreds_of_stalled_handshakes_are_closed_and_others_are_served() {
    let files = Files::new();
    let server = run(&files, |options| {
        options.header_timeout = Duration::from_secs(2);
    })
    .await;
    let mut stalled = Vec::new();
    for number in 0..400 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(PART_OF_A_HELLO).await.unwrap();
        }
        stalled.push(stream);
    }
    for _ in 0..20 {
        is_served(server.address, &files).await;
    }
    for mut stream in stalled {
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        assert!(answer.is_empty(), "{answer:?}");
    }
    assert_eq!(server.service.pressure().buffered, 0);
}

#[tokio::test]
async fn handshakes_count_against_the_limits_of_connections() {
    let files = Files::new();
    for per_client in [true, false] {
        let server = run(&files, |options| {
            if per_client {
                options.max_connections_per_client = 2;
            } else {
                options.max_connections = 2;
            }
        })
        .await;
        let mut first = TcpStream::connect(server.address).await.unwrap();
        first.write_all(PART_OF_A_HELLO).await.unwrap();
        let mut second = connect(server.address, &files.client(&["http/1.1"]))
            .await
            .unwrap();
        // One too many is closed without a handshake.
        let third = connect(server.address, &files.client(&["http/1.1"])).await;
        assert!(third.is_err());
        assert_eq!(get(&mut second, "/hello").await.unwrap().1, "hello");
        drop(first);
        soon(async {
            while connect(server.address, &files.client(&[])).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_truncated_connection_and_a_manipulated_record_end_it_alone() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    // The client disappears in the middle of a record with a request.
    let stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    let (mut socket, _) = stream.into_inner();
    socket
        .write_all(&[23, 3, 3, 0, 100, 1, 2, 3])
        .await
        .unwrap();
    drop(socket);
    // A record that was not encrypted with the key of the session.
    let stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    let (mut socket, _) = stream.into_inner();
    let mut forged = vec![23, 3, 3, 0, 100];
    forged.resize(105, 7);
    socket.write_all(&forged).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(socket.read_to_end(&mut answer)).await;
    is_served(server.address, &files).await;
    // The request before the end of a client without `close_notify` is served.
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    assert_eq!(get(&mut stream, "/hello").await.unwrap().1, "hello");
    let (socket, _) = stream.into_inner();
    drop(socket);
    is_served(server.address, &files).await;
}

#[tokio::test]
async fn a_client_that_sends_no_request_after_the_handshake_is_closed() {
    let files = Files::new();
    let server = run(&files, |options| {
        options.header_timeout = Duration::from_secs(1);
    })
    .await;
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    assert_eq!(rest(&mut stream).await.unwrap(), "");
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nhost:")
        .await
        .unwrap();
    stream.flush().await.unwrap();
    assert!(rest(&mut stream).await.unwrap().starts_with("HTTP/1.1 408"));
}
