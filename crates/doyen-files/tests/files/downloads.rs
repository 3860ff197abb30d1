//! Downloads: ranges, conditions, headers and signed links.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::kit::{Unscanned, folder, kept, objects};

const TEXT: &[u8] = b"0123456789";

#[doyen_test::test]
async fn ranges_are_those_of_the_rfc(app: Unscanned) {
    let id = kept(&app, "a.txt", "text/plain", TEXT).await;
    let path = format!("/files/{id}/content");
    let etag = app.get(&path).send().await.expect(200).etag();
    for (range, condition, status, body, shown) in [
        ("bytes=0-3", None, 206, "0123", Some("bytes 0-3/10")),
        ("bytes=-3", None, 206, "789", Some("bytes 7-9/10")),
        ("bytes=8-", None, 206, "89", Some("bytes 8-9/10")),
        ("bytes=2-1", None, 200, "0123456789", None),
        ("lines=1-2", None, 200, "0123456789", None),
        (
            "bytes=0-3",
            Some(etag.as_str()),
            206,
            "0123",
            Some("bytes 0-3/10"),
        ),
        ("bytes=0-3", Some("\"other\""), 200, "0123456789", None),
    ] {
        let mut call = app.get(&path).header("range", range);
        if let Some(condition) = condition {
            call = call.header("if-range", condition);
        }
        let answer = call.send().await.expect(status);
        assert_eq!(answer.text(), body, "{range}");
        assert_eq!(answer.header("content-range"), shown, "{range}");
    }
    let outside = app.get(&path).header("range", "bytes=10-").send().await;
    let outside = outside.expect_problem(416, "range_not_satisfiable");
    assert_eq!(outside.header("content-range"), Some("bytes */10"));
}

#[doyen_test::test]
async fn several_ranges_are_one_response(app: Unscanned) {
    let id = kept(&app, "a.txt", "text/plain", TEXT).await;
    let path = format!("/files/{id}/content");
    let answer = app
        .get(&path)
        .header("range", "bytes=0-1, 8-")
        .send()
        .await
        .expect(206);
    let media_type = answer.header("content-type").unwrap_or_default();
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=");
    let boundary = boundary.expect(media_type);
    let part = |range, text| {
        format!(
            "--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes {range}/10\r\n\r\n{text}\r\n"
        )
    };
    let expected = format!(
        "\r\n{}{}--{boundary}--\r\n",
        part("0-1", "01"),
        part("8-9", "89")
    );
    assert_eq!(answer.text(), expected);
    let server = app.serve().await;
    let mut stream = server.connect().await;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=0-1, 8-\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut served = String::new();
    stream.read_to_string(&mut served).await.unwrap();
    let length = format!("content-length: {}\r\n", expected.len());
    assert!(served.contains(&length), "{served}");
    // Overlapping ranges would multiply the content.
    let answer = app.get(&path).header("range", "bytes=0-5,3-8").send().await;
    assert_eq!(answer.expect(200).bytes(), TEXT);
}

#[doyen_test::test]
async fn conditions_and_head_send_no_content(app: Unscanned) {
    let id = kept(&app, "a.txt", "text/plain", TEXT).await;
    let path = format!("/files/{id}/content");
    let whole = app.get(&path).send().await.expect(200);
    let etag = whole.etag();
    assert!(etag.starts_with('"'), "{etag} is weak");
    let known = app.get(&path).if_none_match(&etag).send().await.expect(304);
    assert_eq!(known.bytes(), b"");
    let head = app.head(&path).send().await.expect(200);
    assert_eq!(head.header("content-length"), Some("10"));
    assert_eq!(head.header("accept-ranges"), Some("bytes"));
    assert_eq!(head.header("etag"), Some(etag.as_str()));
}

#[doyen_test::test]
async fn browsers_save_the_file_and_run_nothing(app: Unscanned) {
    let id = kept(&app, "\u{dc}ber \\\"x\\\".txt", "text/plain", b"<script>").await;
    let sent = app
        .get(format!("/files/{id}/content"))
        .send()
        .await
        .expect(200);
    assert_eq!(
        sent.header("content-disposition"),
        Some("attachment; filename=\"_ber _x_.txt\"; filename*=UTF-8''%C3%9Cber%20%5Fx%5F%2Etxt")
    );
    assert_eq!(sent.header("x-content-type-options"), Some("nosniff"));
    let policy = sent.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.starts_with("sandbox; default-src 'none'"),
        "{policy}"
    );
    let same = sent.header("cross-origin-resource-policy");
    assert_eq!(same, Some("same-origin"));
}

#[doyen_test::test]
async fn a_signed_link_ends(app: Unscanned) {
    let id = kept(&app, "a.txt", "text/plain", TEXT).await;
    let link = app
        .get(format!("/files/{id}/link"))
        .send()
        .await
        .expect(200)
        .text();
    assert_eq!(app.get(&link).send().await.expect(200).bytes(), TEXT);
    let forged = link.replace('.', "x");
    app.get(forged)
        .send()
        .await
        .expect_problem(404, "file_not_found");
    app.clock().advance(Duration::from_secs(61));
    app.get(&link)
        .send()
        .await
        .expect_problem(404, "file_not_found");
    let logged = app.log().into_iter().map(|line| line.to_string());
    let token = link.trim_start_matches("/shared/").to_owned();
    assert!(
        !logged.collect::<String>().contains(&token),
        "the log has the token"
    );
}

/// Larger than what is read at once.
#[doyen_test::test]
async fn a_large_file_is_sent_in_chunks(app: Unscanned) {
    let text: Vec<u8> = (0..900_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    let id = kept(&app, "a.txt", "text/plain", &text).await;
    let path = format!("/files/{id}/content");
    assert!(app.get(&path).send().await.expect(200).bytes() == text);
    let part = app
        .get(&path)
        .header("range", "bytes=65530-131080")
        .send()
        .await;
    assert!(part.expect(206).bytes() == &text[65530..=131_080]);
}

#[doyen_test::test]
async fn a_removed_file_is_gone(app: Unscanned) {
    let id = kept(&app, "a.txt", "text/plain", TEXT).await;
    app.delete(format!("/files/{id}")).send().await.expect(204);
    for path in [format!("/files/{id}"), format!("/files/{id}/content")] {
        app.get(path)
            .send()
            .await
            .expect_problem(404, "file_not_found");
    }
    app.delete(format!("/files/{id}")).send().await.expect(404);
    assert!(objects(&folder(&app).await).is_empty());
}
