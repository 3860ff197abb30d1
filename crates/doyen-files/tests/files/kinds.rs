//! Declared types, content and names.

use serde_json::json;

use crate::kit::{PNG, Unscanned, file, folder, objects, send, send_file, until_objects};

#[doyen_test::test]
async fn content_must_be_what_is_declared(app: Unscanned) {
    let text = b"hello".as_slice();
    let late = [&[b'a'; 10_000][..], b"\0"].concat();
    for (declared, content) in [
        ("image/png", b"%PDF-1.4 not a png".as_slice()),
        ("image/png", text),
        ("image/png", b""),
        ("application/pdf", PNG),
        ("text/plain", PNG),
        ("text/plain", b"MZ\x90\0\x03"),
        ("text/plain", b"a\0b"),
        ("text/plain", &late),
        ("text/csv", b"%PDF-1.4"),
        ("application/zip", PNG),
    ] {
        send_file(&app, "a", declared, content)
            .await
            .expect_problem(422, "file_type_mismatch");
    }
    for declared in [
        "application/x-msdownload",
        "text/html",
        "image/svg+xml",
        "x",
    ] {
        send_file(&app, "a", declared, text)
            .await
            .expect_problem(415, "file_type_not_allowed");
    }
    // Without a type, or with the one for anything, the content decides.
    for declared in ["application/octet-stream", ""] {
        let kept = send_file(&app, "a", declared, PNG).await.expect(201);
        assert_eq!(kept.at("/files/0/media_type"), json!("image/png"));
        send_file(&app, "a", declared, b"MZ\x90\0\x03")
            .await
            .expect_problem(415, "file_type_not_allowed");
    }
    let kept = send_file(&app, "a.csv", "application/vnd.ms-excel", b"a;b\r\n1;2\r\n").await;
    assert_eq!(
        kept.expect(201).at("/files/0/media_type"),
        json!("text/csv")
    );
    until_objects(&folder(&app).await, 3).await;
}

/// The list of the security guide: none of these names is used as a path.
#[doyen_test::test]
async fn names_are_data(app: Unscanned) {
    let folder = folder(&app).await;
    let canary = folder.with_extension("canary");
    for (given, shown) in [
        ("../../etc/passwd", "passwd"),
        ("..\\\\..\\\\evil.txt", "evil.txt"),
        ("/etc/cron.d/x", "x"),
        ("C:\\\\x.txt", "x.txt"),
        ("%2e%2e%2fx.txt", "%2e%2e%2fx.txt"),
        ("....//....//x.txt", "x.txt"),
        ("..", "file"),
        ("a.php", "a.php.txt"),
        ("con", "_con"),
        ("\u{202e}txt.exe", "txt.exe.txt"),
    ] {
        let kept = send_file(&app, given, "text/plain", b"hello")
            .await
            .expect(201);
        assert_eq!(kept.at("/files/0/name"), json!(shown), "{given}");
    }
    let long = format!("{}.txt", "n".repeat(4096));
    let kept = send_file(&app, &long, "text/plain", b"hello")
        .await
        .expect(201);
    assert!(kept.text_at("/files/0/name").len() <= 200);
    // Every object has the name of an id.
    for object in objects(&folder) {
        let name = object.rsplit('/').next().unwrap_or_default();
        assert!(name.parse::<doyen::files::FileId>().is_ok(), "{object}");
    }
    assert!(!canary.exists());
}

#[doyen_test::test]
async fn a_name_can_be_in_each_encoding(app: Unscanned) {
    for (disposition, shown) in [
        ("name=\"file\"; filename=\"\u{dc}ber.txt\"", "\u{dc}ber.txt"),
        (
            "name=\"file\"; filename=x; filename*=UTF-8''%C3%9Cber.txt",
            "\u{dc}ber.txt",
        ),
        ("name=\"file\"; filename=\"a%22b.txt\"", "a_b.txt"),
        ("name=\"file\"", "file"),
        ("name=file; filename=plain.txt", "plain.txt"),
    ] {
        let one = file(disposition, "text/plain", b"hello");
        let kept = send(&app, &[one]).await.expect(201);
        assert_eq!(kept.at("/files/0/name"), json!(shown), "{disposition}");
    }
}

/// A small archive: one member of this name, stored, with this content and mode of Unix.
fn zip(name: &str, content: &[u8], mode: u32) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let size = number(content.len());
    let common = [
        &[20, 0, 0, 0, 0, 0][..],
        &[0; 8],
        &size,
        &size,
        &length,
        &[0, 0],
    ]
    .concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), content].concat();
    let mode = (mode << 16).to_le_bytes();
    let own = [&[0; 6][..], &mode, &[0; 4], name.as_bytes()].concat();
    let entry = [b"PK\x01\x02\x14\x03", &common[..], &own].concat();
    let (size, start) = (number(entry.len()), number(local.len()));
    let end = [
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
        &size[..],
        &start,
        &[0, 0],
    ]
    .concat();
    [local, entry, end].concat()
}

pub(crate) fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    zip(name, content, 0o100_644)
}

/// All limits are tested next to their code, in `src/archive/tests.rs`.
#[doyen_test::test]
async fn archives_have_limits(app: Unscanned) {
    let good = zip("a.txt", b"hello", 0o100_644);
    send_file(&app, "a.zip", "application/zip", &good)
        .await
        .expect(201);
    for bad in [
        zip("../a.txt", b"", 0o100_644),
        zip("/etc/passwd", b"", 0o100_644),
        zip("link", b"/etc", 0o120_777),
        good[..good.len() - 1].to_vec(),
    ] {
        send_file(&app, "a.zip", "application/zip", &bad)
            .await
            .expect_problem(422, "archive_refused");
    }
    until_objects(&folder(&app).await, 1).await;
}
