//! Requests over both protocols, and connections that leave HTTP.

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::rustls::{ProtocolVersion, version};

use crate::support::{Files, LARGE_BYTES, connect, exchange, get, rest, run, soon};

#[tokio::test]
async fn http_1_is_served_over_tls_1_2_and_1_3() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    for (offered, expected) in [
        (&version::TLS12, ProtocolVersion::TLSv1_2),
        (&version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let client = files.client_with(&["http/1.1"], &[offered]);
        let mut stream = connect(server.address, &client).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        for _ in 0..3 {
            let (head, body) = get(&mut stream, "/hello").await.unwrap();
            assert!(head.starts_with("http/1.1 200"), "{head}");
            assert!(
                head.contains("strict-transport-security: max-age="),
                "{head}"
            );
            assert_eq!(body, "hello");
        }
    }
    // Without the extension, the protocol is HTTP/1.1.
    let mut stream = connect(server.address, &files.client(&[])).await.unwrap();
    assert_eq!(get(&mut stream, "/hello").await.unwrap().1, "hello");
}

#[tokio::test]
async fn http_2_is_chosen_by_alpn() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    let stream = connect(server.address, &files.client(&["h2", "http/1.1"]))
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = |method: &str, path: &str| {
        let request = http::Request::builder().method(method);
        request
            .uri(format!("https://localhost{path}"))
            .body(())
            .unwrap()
    };
    let (hello, _) = client.send_request(request("GET", "/hello"), true).unwrap();
    let (length, mut body) = client
        .send_request(request("POST", "/length"), false)
        .unwrap();
    body.send_data(Bytes::from(vec![b'x'; 10_000]), true)
        .unwrap();
    let hello = soon(hello).await.unwrap();
    assert_eq!(hello.status(), 200);
    assert!(hello.headers().contains_key("strict-transport-security"));
    let mut body = soon(length).await.unwrap().into_body();
    assert_eq!(soon(body.data()).await.unwrap().unwrap(), "10000");
    // More than the windows, and than the session holds.
    let (large, _) = client.send_request(request("GET", "/large"), true).unwrap();
    let mut body = soon(large).await.unwrap().into_body();
    let mut received = 0;
    while let Some(data) = soon(body.data()).await {
        let data = data.unwrap();
        received += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    assert_eq!(received, LARGE_BYTES);
}

#[tokio::test]
async fn a_client_must_speak_the_protocol_that_it_has_chosen() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    let mut stream = connect(server.address, &files.client(&["h2"]))
        .await
        .unwrap();
    assert!(get(&mut stream, "/hello").await.is_err());
    for protocols in [&["http/1.1"][..], &[]] {
        // No settings of HTTP/2 come.
        let mut stream = connect(server.address, &files.client(protocols))
            .await
            .unwrap();
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        stream.flush().await.unwrap();
        let mut received = Vec::new();
        let _ = soon(stream.read_to_end(&mut received)).await;
        assert!(received.is_empty(), "{received:?}");
    }
    let other = connect(server.address, &files.client(&["spdy/3"])).await;
    assert!(other.is_err(), "no protocol in common");
}

#[tokio::test]
async fn bodies_and_streams_arrive_whole() {
    let files = Files::new();
    let server = run(&files, |_| {}).await;
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    let body = "x".repeat(300_000);
    let head = "POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(exchange(&mut stream, &request).await.unwrap().1, "300000");
    let (head, body) = get(&mut stream, "/large").await.unwrap();
    assert!(head.starts_with("http/1.1 200") && body.len() == LARGE_BYTES);
    let close = "GET /ticks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(close.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let text = rest(&mut stream).await.unwrap();
    assert!(
        text.contains("tick 0\n") && text.contains("tick 2\n"),
        "{text}"
    );
    assert!(text.ends_with("0\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn a_connection_that_leaves_http_stays_encrypted() {
    let files = Files::new();
    let mut server = run(&files, |_| {}).await;
    let mut stream = connect(server.address, &files.client(&["http/1.1"]))
        .await
        .unwrap();
    let upgrade =
        "GET /echo HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    let (head, _) = exchange(&mut stream, upgrade).await.unwrap();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    for text in ["one", "two"] {
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let mut echo = [0; 3];
        soon(stream.read_exact(&mut echo)).await.unwrap();
        assert_eq!(&echo, text.as_bytes());
    }
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await.unwrap(), "");
    server.stop();
    assert_eq!(server.cut().await, 0);
}
