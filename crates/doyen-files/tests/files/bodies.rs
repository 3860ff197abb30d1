//! Raw bodies, and clients that are slow, lie or go away.

use std::time::Duration;

use doyen_test::scale;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::kit::{BOUNDARY, Layered, PNG, Unscanned, folder, objects, until_objects};
use crate::process::Process;

#[doyen_test::test]
async fn a_body_is_one_file(app: Unscanned) {
    let answer = app
        .put("/image")
        .header(
            "content-disposition",
            "attachment; filename*=UTF-8''%e4%bd%a0.png",
        )
        .body("image/png", PNG)
        .send()
        .await
        .expect(200);
    assert_eq!(answer.at("/name"), json!("\u{4f60}.png"));
    let answer = app.put("/image").body("image/png", PNG).send().await;
    assert_eq!(answer.expect(200).at("/name"), json!("file"));
    let answer = app.put("/image").body("image/png", "%PDF-1.7").send().await;
    answer.expect_problem(422, "file_type_mismatch");
    let answer = app.put("/image").body("video/mp4", "x").send().await;
    answer.expect_problem(415, "file_type_not_allowed");
    let coded = app.put("/image").header("content-encoding", "gzip");
    let answer = coded.body("image/png", PNG).send().await;
    answer.expect_problem(415, "unsupported_media_type");
    until_objects(&folder(&app).await, 2).await;
}

/// Only the policy limits a file, also behind a layer, whose reads have the limit of the settings.
#[doyen_test::test(sqlite)]
async fn a_layer_around_all_requests_does_not_limit_a_file(app: Layered) {
    let server = app.serve().await;
    let content = vec![b'a'; 3 << 20];
    let head = head("PUT /raw", "text/plain", content.len());
    let answer = in_pieces(server.address(), &[&head, &content]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Sends a request in pieces, with a pause after each, and returns the response.
async fn in_pieces(address: std::net::SocketAddr, pieces: &[&[u8]]) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        // A server that has refused the request may close.
        if stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut answer = Vec::new();
    // The response counts, not when the server ends the connection.
    let reading = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(20), reading).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(target: &str, media_type: &str, length: usize) -> Vec<u8> {
    format!(
        "{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {media_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

#[doyen_test::test]
async fn a_form_can_arrive_byte_by_byte(app: Unscanned) {
    let server = app.serve().await;
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\nhe\r\n--llo\r\n--{BOUNDARY}--\r\n"
    );
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let head = head("POST /files", &media_type, body.len());
    let mut pieces: Vec<&[u8]> = vec![&head];
    pieces.extend(body.as_bytes().chunks(1));
    let answer = in_pieces(server.address(), &pieces).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("\"size\":9"), "{answer}");
}

#[doyen_test::test]
async fn a_client_that_goes_away_leaves_nothing(app: Unscanned) {
    let (server, folder) = (app.serve().await, folder(&app).await);
    for announced in [1 << 20, 4 << 20] {
        let mut stream = server.connect().await;
        let head = head("PUT /raw", "text/plain", announced);
        stream.write_all(&head).await.unwrap();
        stream.write_all(&[b'a'; 200_000]).await.unwrap();
        until_objects(&folder, 1).await;
        assert!(objects(&folder)[0].ends_with(".part"));
        drop(stream);
        until_objects(&folder, 0).await;
    }
    // The length is a lie: fewer bytes, then the end of the connection.
    let answer = {
        let mut stream = server.connect().await;
        let head = head("PUT /raw", "text/plain", 100);
        stream
            .write_all(&[&head[..], b"short"].concat())
            .await
            .unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    };
    assert!(!answer.contains(" 200 "), "{answer}");
    until_objects(&folder, 0).await;
    assert_eq!(app.count("files").await, 0);
}

#[doyen_test::test]
async fn a_body_that_is_announced_too_large_is_refused_at_once(app: Unscanned) {
    let server = app.serve().await;
    let head = head("PUT /image", "text/plain", 100 << 20);
    // Not one byte of it is sent.
    let answer = in_pieces(server.address(), &[&head]).await;
    assert!(
        answer.contains(" 413 ") && answer.contains("file_too_large"),
        "{answer}"
    );
}

#[doyen_test::test]
async fn the_first_byte_too_many_ends_a_chunked_body(app: Unscanned) {
    let server = app.serve().await;
    let head =
        b"PUT /image HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\n\
                 Transfer-Encoding: chunked\r\n\r\n";
    let chunk = [b"10000\r\n", &[b'a'; 0x10000][..], b"\r\n"].concat();
    let mut pieces: Vec<&[u8]> = vec![head];
    // One MiB is the limit; the end is never sent.
    pieces.extend(std::iter::repeat_n(&chunk[..], 16));
    pieces.push(b"1\r\na\r\n");
    let answer = in_pieces(server.address(), &pieces).await;
    assert!(
        answer.contains(" 413 ") && answer.contains("file_too_large"),
        "{answer}"
    );
    until_objects(&folder(&app).await, 0).await;
}

/// The memory of a process does not depend on the size of an upload.
#[doyen_test::test(sqlite)]
async fn memory_is_constant(app: Unscanned) {
    let megabytes = scale(64, 4096);
    let (url, folder) = (app.database_url().to_owned(), folder(&app).await);
    let measured = tokio::task::spawn_blocking(move || {
        let limit = [("APP_FILES__MAX_BYTES", "8 GiB")];
        let process = Process::start(&url, &folder, &limit);
        // What a first upload allocates once.
        let upload = |megabytes| {
            let answer = process.upload(megabytes);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        };
        upload(8);
        let before = process.peak_kib();
        upload(megabytes);
        process.peak_kib().saturating_sub(before)
    });
    let grown = measured.await.unwrap();
    assert!(grown < 4 << 10, "{grown} KiB more after {megabytes} MiB");
}
